package wire

import (
	"encoding/json"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// Event is an event in a response.
type Event struct {
	ID          string          `json:"id"`               // the webhook-id of its deliveries
	Tenant      *string         `json:"tenant,omitempty"` // for the operator alone
	Type        string          `json:"type"`
	Time        Timestamp       `json:"time"`         // when it happened
	PublishedAt Timestamp       `json:"published_at"` // when the host published it
	Key         string          `json:"key,omitempty"`
	Tags        []string        `json:"tags,omitempty"`
	NotBefore   Timestamp       `json:"not_before,omitzero"`
	ExpiresAt   Timestamp       `json:"expires_at,omitzero"`
	Payload     json.RawMessage `json:"payload,omitempty"` // as it is sent; none if it was erased
	Erased      bool            `json:"erased,omitempty"`
}

// EventReport is the response of /webhooks.event.
type EventReport struct {
	Event    Event          `json:"event"`
	Webhooks []EventWebhook `json:"webhooks"` // oldest first

	// NextCursor is for the webhooks after these; empty after the last.
	NextCursor string `json:"next_cursor"`
}

// EventWebhook says what became of an event for a webhook.
type EventWebhook struct {
	WebhookID string            `json:"webhook_id"`
	Name      string            `json:"name,omitempty"`
	Delivery  *Delivery         `json:"delivery,omitempty"` // if there is one
	Missed    dispatcher.Missed `json:"missed,omitempty"`   // why the webhook did not get the event
}

// Event returns what a response shows of an event.
func (v View) Event(e *store.StoredEvent) Event {
	// The body has the payload's own bytes, so that its digits and the order of its members stay.
	var body struct{ Payload json.RawMessage }
	if len(e.Body) > 0 && json.Unmarshal(e.Body, &body) != nil {
		body.Payload = nil // a host that fills a store itself may have put anything there
	}
	return Event{
		ID: e.ID, Tenant: v.tenant(e.Tenant), Type: e.Type, Time: Timestamp(e.Time),
		PublishedAt: Timestamp(e.EnqueuedAt), Key: e.Key, Tags: e.Tags, NotBefore: Timestamp(e.NotBefore),
		ExpiresAt: Timestamp(e.ExpiresAt), Payload: body.Payload, Erased: e.Erased(),
	}
}

// EventReport returns the response for a report.
func (v View) EventReport(r *dispatcher.EventReport) EventReport {
	out := EventReport{
		Event: v.Event(&r.Event), Webhooks: make([]EventWebhook, len(r.Subscriptions)),
		NextCursor: r.Next,
	}
	for i := range r.Subscriptions {
		s := &r.Subscriptions[i]
		w := EventWebhook{
			WebhookID: s.Subscription.ID, Name: s.Subscription.Name, Missed: s.Missed,
		}
		if s.Delivery != nil {
			d := v.Delivery(s.Delivery)
			w.Delivery = &d
		}
		out.Webhooks[i] = w
	}
	return out
}
