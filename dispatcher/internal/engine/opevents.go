package engine

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

const (
	reasonGone    = "the endpoint answered 410 Gone"
	reasonAsked   = "the endpoint has asked to be unsubscribed"
	reasonAborted = "the endpoint has asked not to be sent it again"
	reasonUsedUp  = "its attempts are used up"
)

// opEventSpace is the name space of the IDs of operational events (UUIDs of version 5, RFC 9562).
var opEventSpace = uuid.MustParse("b2f6c7f0-5d0c-4c0e-9d6b-1f3a0e6f5a44")

// appendExhausted appends the event that a delivery was given up. There is none about operational
// events: a customer's endpoint that refuses them would cause more of them without end.
func (r *run) appendExhausted(
	opEvents []events.Event, of attempted, o *store.Outcome,
) []events.Event {
	c := of.claim
	if !r.OperationalEvents || events.Operational(c.EventType) {
		return opEvents
	}
	a, reason := &o.Attempt, reasonUsedUp
	switch {
	case of.asked == send.ControlDisable:
		reason = reasonAsked
	case of.asked == send.ControlAbort:
		reason = reasonAborted
	case isGone(o):
		reason = reasonGone
	}
	return r.appendOpEvent(opEvents, c.Tenant, a.At, events.WebhookExhausted{
		WebhookID:  c.SubscriptionID,
		EventID:    c.EventID,
		Type:       c.EventType,
		Attempts:   a.Number,
		LastStatus: a.Status,
		Error:      a.Error,
		Reason:     reason,
	})
}

// appendDisabled appends the event that a subscription was disabled.
func (r *run) appendDisabled(opEvents []events.Event, sub *store.Subscription) []events.Event {
	if !r.OperationalEvents {
		return opEvents
	}
	return r.appendOpEvent(opEvents, sub.Tenant, sub.UpdatedAt,
		events.WebhookDisabled{WebhookID: sub.ID, Reason: sub.DisabledReason})
}

// appendOpEvent appends an event. Its ID follows from its content, so that publishing it again
// changes nothing.
func (r *run) appendOpEvent(
	opEvents []events.Event,
	tenant string,
	at time.Time,
	p events.Payload,
) []events.Event {
	e, err := events.From(p)
	if err == nil {
		e.Tenant, e.Time = tenant, at
		var body []byte
		if body, err = e.Body(); err == nil {
			e.ID = uuid.NewSHA1(opEventSpace, append([]byte(tenant+"\x00"), body...)).String()
			return append(opEvents, e)
		}
	}
	r.Logger.Error("outhook: an operational event could not be made",
		"type", p.EventType(), "error", err)
	return opEvents
}

// publish publishes operational events, trying again while the store is in trouble. It calls the
// store and not Dispatcher.Publish, which is for the host and refuses operational events. The
// outcomes are stored by then, so a crash before this loses the events; the history has what they
// tell of.
func (r *run) publish(opEvents []events.Event) {
	if len(opEvents) == 0 {
		return
	}
	_, err := persist(r.rest, r, "announce", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, r.Store.Enqueue(ctx, opEvents...)
	})
	if err != nil {
		r.Logger.Error("outhook: operational events were not published",
			"events", len(opEvents), "error", err)
		return
	}
	r.Listener.Published(opEvents)
}
