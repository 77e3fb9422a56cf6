package dispatcher

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

const (
	reasonGone   = "the endpoint answered 410 Gone"
	reasonUsedUp = "its attempts are used up"
)

// operationalSpace is the name space of the IDs of operational events (UUIDs of version 5, RFC 9562).
var operationalSpace = uuid.MustParse("b2f6c7f0-5d0c-4c0e-9d6b-1f3a0e6f5a44")

// exhausted adds to news that a delivery was given up.
func (r *run) exhausted(news []events.Event, f *finished) []events.Event {
	if !r.o.OperationalEvents || events.Operational(f.claim.EventType) {
		return news
	}
	a, reason := &f.outcome.Attempt, reasonUsedUp
	if isGone(&f.outcome) {
		reason = reasonGone
	}
	return r.operational(news, f.claim.Tenant, a.At, events.WebhookExhausted{
		WebhookID:  f.claim.SubscriptionID,
		EventID:    f.claim.EventID,
		Type:       f.claim.EventType,
		Attempts:   a.Number,
		LastStatus: a.Status,
		Error:      a.Error,
		Reason:     reason,
	})
}

// disabled adds to news that a subscription was disabled.
func (r *run) disabled(news []events.Event, sub *store.Subscription) []events.Event {
	if !r.o.OperationalEvents {
		return news
	}
	return r.operational(news, sub.Tenant, sub.UpdatedAt, events.WebhookDisabled{WebhookID: sub.ID, Reason: sub.DisabledReason})
}

// operational adds an event to news. Its ID follows from all else that it is, so that publishing it again changes nothing.
func (r *run) operational(news []events.Event, tenant string, at time.Time, p events.Payload) []events.Event {
	e, err := events.From(p)
	if err == nil {
		e.Tenant, e.Time = tenant, at
		var body []byte
		if body, err = e.Body(); err == nil {
			e.ID = uuid.NewSHA1(operationalSpace, append([]byte(tenant+"\x00"), body...)).String()
			return append(news, e)
		}
	}
	r.log.Error("outhook: an operational event could not be made", "type", p.EventType(), "error", err)
	return news
}

// announce publishes operational events, trying again while the store is in trouble.
func (r *run) announce(news []events.Event) {
	if len(news) == 0 {
		return
	}
	_, err := persist(r.rest, r, "announce", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, r.store.Enqueue(ctx, news...)
	})
	if err != nil {
		r.log.Error("outhook: operational events were not published", "events", len(news), "error", err)
		return
	}
	r.observe.published(r.observe.enqueue, news)
}

// checkOperational says what is wrong with a host's event when it is operational.
func (d *Dispatcher) checkOperational(eventType string) error {
	if d.o.OperationalEvents && events.Operational(eventType) {
		return &events.InvalidError{Field: "type", Reason: "is " + eventType + ", which only the dispatcher publishes; use another"}
	}
	return nil
}
