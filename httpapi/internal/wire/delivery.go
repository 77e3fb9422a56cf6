package wire

import (
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
	Key        string           `json:"key,omitempty"` // the event's ordering key
	State      store.State      `json:"state"`
	Attempts   int              `json:"attempts"`
	CreatedAt  Timestamp        `json:"created_at"`
	DueAt      Timestamp        `json:"due_at,omitzero"`       // while it is pending
	Wait       store.Wait       `json:"wait,omitempty"`        // why it is not attempted now
	WaitUntil  Timestamp        `json:"wait_until,omitzero"`   // at most, if that is known
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

// Count is the response of /webhooks.replay.
type Count struct {
	Count int `json:"count"`
}

// ReplayStep is the response of /webhooks.replay to a request for one step.
type ReplayStep struct {
	Count      int    `json:"count"`
	NextCursor string `json:"next_cursor"` // empty after the last step
}

// Delivery returns what a response shows of a delivery.
func (v View) Delivery(d *store.Delivery) Delivery {
	return Delivery{
		WebhookID: d.SubscriptionID, Tenant: v.tenant(d.Tenant),
		EventID: d.EventID, EventType: d.EventType, Key: d.Key, State: d.State,
		Attempts: d.Attempts, CreatedAt: Timestamp(d.CreatedAt), DueAt: Timestamp(d.DueAt),
		Wait: d.Wait, WaitUntil: Timestamp(d.WaitUntil), FinishedAt: Timestamp(d.FinishedAt),
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
