package wire

import (
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// Delivery is a delivery in a response. Status and error are of its last attempt; a canceled one's
// error is why.
type Delivery struct {
	WebhookID  string           `json:"webhook_id"`
	Tenant     *string          `json:"tenant,omitempty"` // for the operator alone
	EventID    string           `json:"event_id"`
	EventType  string           `json:"event_type"`
	State      store.State      `json:"state"`
	Attempts   int              `json:"attempts"`
	CreatedAt  Timestamp        `json:"created_at"`
	DueAt      Timestamp        `json:"due_at,omitzero"`       // while it is pending
	FinishedAt Timestamp        `json:"finished_at,omitzero"`  // once it is not
	LastStatus int              `json:"last_status,omitempty"` // if the endpoint answered
	ErrorClass dispatcher.Class `json:"error_class,omitempty"` // of LastError
	LastError  string           `json:"last_error,omitempty"`  // empty after a success
	Erased     bool             `json:"erased,omitempty"`      // its event has no content any more
}

// Deliveries is the response of /webhooks.deliveries.
type Deliveries struct {
	Data       []Delivery `json:"data"`
	Pagination Pagination `json:"pagination_data"`
}

// Answer is an endpoint's answer to one request. Invalid UTF-8 in it is replaced when it is
// encoded.
type Answer struct {
	Status     int              `json:"status,omitempty"` // if there was an answer
	DurationMS int64            `json:"duration_ms"`
	ErrorClass dispatcher.Class `json:"error_class,omitempty"` // of Error
	Error      string           `json:"error,omitempty"`       // empty after a success
	Response   string           `json:"response,omitempty"`    // the beginning of the body
}

// Attempt is one request of a delivery.
type Attempt struct {
	Number int       `json:"number"`
	Time   Timestamp `json:"time"`
	Answer
}

// Attempts is the response of /webhooks.attempts.
type Attempts struct {
	Data []Attempt `json:"data"`
}

// Count is the response of /webhooks.replay.
type Count struct {
	Count int `json:"count"`
}

// Delivery returns what a response shows of a delivery.
func (v View) Delivery(d *store.Delivery) Delivery {
	return Delivery{
		WebhookID: d.SubscriptionID, Tenant: v.tenant(d.Tenant),
		EventID: d.EventID, EventType: d.EventType, State: d.State, Attempts: d.Attempts,
		CreatedAt: Timestamp(d.CreatedAt), DueAt: Timestamp(d.DueAt), FinishedAt: Timestamp(d.FinishedAt),
		LastStatus: d.LastStatus, ErrorClass: dispatcher.ErrorClass(d.LastError), LastError: d.LastError,
		Erased: d.Erased,
	}
}

// Deliveries returns the response for a page.
func (v View) Deliveries(page *store.Page[store.Delivery], counted bool) Deliveries {
	out := Deliveries{
		Data: make([]Delivery, len(page.Items)), Pagination: NewPagination(page, counted),
	}
	for i := range page.Items {
		out.Data[i] = v.Delivery(&page.Items[i])
	}
	return out
}

// NewAnswer returns what a response shows of an attempt, apart from its number and time.
func NewAnswer(a *store.Attempt) Answer {
	return Answer{
		Status: a.Status, DurationMS: millis(a.Duration),
		ErrorClass: dispatcher.ErrorClass(a.Error), Error: a.Error, Response: string(a.Response),
	}
}

// NewAttempts returns the response for the attempts of a delivery.
func NewAttempts(all []store.Attempt) Attempts {
	out := Attempts{Data: make([]Attempt, len(all))}
	for i := range all {
		out.Data[i] = Attempt{Number: all[i].Number, Time: Timestamp(all[i].At),
			Answer: NewAnswer(&all[i])}
	}
	return out
}

// Timestamp is a time in a response: ISO 8601 in UTC with milliseconds. The zero value means none.
type Timestamp time.Time

// MarshalText implements [encoding.TextMarshaler]. Milliseconds are always three digits, so that
// the times of a response sort as text.
func (t Timestamp) MarshalText() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, "2006-01-02T15:04:05.000Z"), nil
}

// IsZero makes encoding/json omit the zero value (omitzero).
func (t Timestamp) IsZero() bool { return time.Time(t).IsZero() }

// millis returns a duration in whole milliseconds, rounded.
func millis(d time.Duration) int64 { return d.Round(time.Millisecond).Milliseconds() }
