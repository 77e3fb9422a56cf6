package httpapi

import (
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// delivery is a delivery in a response. Status and error are of its last attempt; a canceled one's
// error is why.
type delivery struct {
	WebhookID  string           `json:"webhook_id"`
	EventID    string           `json:"event_id"`
	EventType  string           `json:"event_type"`
	State      store.State      `json:"state"`
	Attempts   int              `json:"attempts"`
	CreatedAt  timestamp        `json:"created_at"`
	DueAt      timestamp        `json:"due_at,omitzero"`       // while it is pending
	FinishedAt timestamp        `json:"finished_at,omitzero"`  // once it is not
	LastStatus int              `json:"last_status,omitempty"` // if the endpoint answered
	ErrorClass dispatcher.Class `json:"error_class,omitempty"` // of LastError
	LastError  string           `json:"last_error,omitempty"`  // empty after a success
	Erased     bool             `json:"erased,omitempty"`      // its event has no content any more
}

// deliveries is the response of /webhooks.deliveries.
type deliveries struct {
	Data       []delivery     `json:"data"`
	Pagination deliveriesPage `json:"pagination_data"`
}

// deliveriesPage is a pagination that may have no total, or one that says only how many deliveries
// there are at least.
type deliveriesPage struct {
	PreviousCursor    string `json:"previous_cursor"`
	NextCursor        string `json:"next_cursor"`
	Total             *int   `json:"total,omitempty"`
	TotalIsLowerBound bool   `json:"total_is_lower_bound,omitempty"`
}

// answer is an endpoint's answer to one request. Invalid UTF-8 in it is replaced when it is
// encoded.
type answer struct {
	Status     int              `json:"status,omitempty"` // if there was an answer
	DurationMS int64            `json:"duration_ms"`
	ErrorClass dispatcher.Class `json:"error_class,omitempty"` // of Error
	Error      string           `json:"error,omitempty"`       // empty after a success
	Response   string           `json:"response,omitempty"`    // the beginning of the body
}

// attempt is one request of a delivery.
type attempt struct {
	Number int       `json:"number"`
	Time   timestamp `json:"time"`
	answer
}

// attempts is the response of /webhooks.attempts.
type attempts struct {
	Data []attempt `json:"data"`
}

// count is the response of /webhooks.replay.
type count struct {
	Count int `json:"count"`
}

// newDelivery returns what a response shows of a delivery.
func newDelivery(d *store.Delivery) delivery {
	return delivery{
		WebhookID: d.SubscriptionID, EventID: d.EventID, EventType: d.EventType, State: d.State,
		Attempts:  d.Attempts,
		CreatedAt: timestamp(d.CreatedAt), DueAt: timestamp(d.DueAt), FinishedAt: timestamp(d.FinishedAt),
		LastStatus: d.LastStatus, ErrorClass: dispatcher.ErrorClass(d.LastError), LastError: d.LastError,
		Erased: d.Erased,
	}
}

// newDeliveries returns the response for a page. The total is in it only if it was counted: a zero
// would be taken for one.
func newDeliveries(page *store.Page[store.Delivery], counted bool) deliveries {
	out := deliveries{
		Data:       make([]delivery, len(page.Items)),
		Pagination: deliveriesPage{PreviousCursor: page.Previous, NextCursor: page.Next},
	}
	for i := range page.Items {
		out.Data[i] = newDelivery(&page.Items[i])
	}
	if counted {
		out.Pagination.Total, out.Pagination.TotalIsLowerBound = &page.Total, page.TotalIsLowerBound
	}
	return out
}

// newAnswer returns what a response shows of an attempt, apart from its number and time.
func newAnswer(a *store.Attempt) answer {
	return answer{
		Status: a.Status, DurationMS: millis(a.Duration),
		ErrorClass: dispatcher.ErrorClass(a.Error), Error: a.Error, Response: string(a.Response),
	}
}

// newAttempts returns the response for the attempts of a delivery.
func newAttempts(all []store.Attempt) attempts {
	out := attempts{Data: make([]attempt, len(all))}
	for i := range all {
		out.Data[i] = attempt{Number: all[i].Number, Time: timestamp(all[i].At),
			answer: newAnswer(&all[i])}
	}
	return out
}

// readFilter reads the fields by which a request selects deliveries. The tenant is always in the
// query, so that a filter which names nothing selects only the tenant's own.
func readFilter(f *fields, tenant string) store.DeliveryQuery {
	q := store.DeliveryQuery{Tenant: tenant, States: f.states("state"), Since: f.timeField("since"),
		Until: f.timeField("until")}
	q.SubscriptionID, _ = f.text("webhook_id")
	q.EventID, _ = f.text("event_id")
	q.EventType, _ = f.text("event_type")
	if q.EventID != "" {
		f.checkEventID("event_id", q.EventID)
	}
	if q.EventType != "" {
		f.checkEventType("event_type", q.EventType)
	}
	return q
}

// readPage adds the page to a filter of deliveries. Unlike webhooks, deliveries are always paged:
// there may be millions.
func readPage(f *fields, q store.DeliveryQuery) store.DeliveryQuery {
	q.Cursor, _ = f.text("cursor")
	q.Limit = DefaultPageSize
	if size, ok := f.intField("page_size", 1, MaxPageSize); ok {
		q.Limit = size
	}
	q.Count = f.boolField("count", false)
	return q
}

// timestamp is a time in a response: ISO 8601 in UTC with milliseconds. The zero value means none.
type timestamp time.Time

// MarshalText implements [encoding.TextMarshaler]. Milliseconds are always three digits, so that
// the times of a response sort as text.
func (t timestamp) MarshalText() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, "2006-01-02T15:04:05.000Z"), nil
}

// IsZero makes encoding/json omit the zero value (omitzero).
func (t timestamp) IsZero() bool { return time.Time(t).IsZero() }

// millis returns a duration in whole milliseconds, rounded.
func millis(d time.Duration) int64 { return d.Round(time.Millisecond).Milliseconds() }
