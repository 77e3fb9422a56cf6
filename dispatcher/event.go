package dispatcher

import (
	"context"

	"github.com/outhook/outhook/dispatcher/internal/missed"
	"github.com/outhook/outhook/store"
)

// EventReport says who got an event, and why others did not.
type EventReport struct {
	Event store.StoredEvent

	// Subscriptions are those of the event's tenant, oldest first, EventPage of them at most. One
	// that was deleted is not among them.
	Subscriptions []EventSubscription

	Next string // the cursor of EventFrom for those after them; empty after the last
}

// EventPage is how many subscriptions an [EventReport] has at most.
const EventPage = 100

// EventSubscription says what became of an event for a subscription.
type EventSubscription struct {
	Subscription store.Subscription // as it is now

	// Delivery is the delivery of the event; nil if there is none.
	Delivery *store.Delivery

	// Missed says why the subscription did not get the event; empty if it got it or is to get it.
	Missed Missed
}

// Missed is why a subscription did not get an event.
type Missed string

const (
	// MissedType says that it does not want the event's type.
	MissedType = Missed(store.ExcludedType)

	// MissedLater says that it was subscribed, or subscribed again, after the event had happened or
	// was published.
	MissedLater = Missed(store.ExcludedLater)

	// MissedUnsubscribed says that it is unsubscribed.
	MissedUnsubscribed = Missed(store.ExcludedUnsubscribed)

	// MissedFilter says that its own Filter does not take the event's payload.
	MissedFilter = Missed(store.ExcludedFilter)

	// MissedChanged says that it would get such an event now, but its settings have changed since
	// the event was published; it may also have had a delivery that was removed.
	MissedChanged Missed = missed.Changed

	// MissedRemoved says that it had a delivery, which was removed (Options.Retention).
	MissedRemoved Missed = missed.Removed

	// MissedFiltered says that Options.Filter did not want the event.
	MissedFiltered Missed = missed.Filtered

	// MissedCanceled says that its delivery was canceled: Delivery.LastError says why.
	MissedCanceled Missed = missed.Canceled

	// MissedDead says that its delivery was given up: Delivery.LastError has the last error.
	MissedDead Missed = missed.Dead
)

// Event returns an event of a tenant, and what became of it for the first EventPage of the tenant's
// subscriptions. It returns store.ErrNotFound if the tenant has no such event: it was never
// published, no subscription wanted it, or it was removed with its last delivery.
//
// Reasons go by the subscriptions as they are now.
func (d *Dispatcher) Event(ctx context.Context, tenant, eventID string) (EventReport, error) {
	return d.EventFrom(ctx, tenant, eventID, "")
}

// EventFrom is Event for the subscriptions from a cursor on, which is the Next of the report
// before. It returns an *events.InvalidError for a cursor that is not one.
func (d *Dispatcher) EventFrom(
	ctx context.Context, tenant, eventID, cursor string,
) (EventReport, error) {
	ev, err := d.store.Event(ctx, tenant, eventID)
	if err != nil {
		return EventReport{}, err
	}
	subs, err := d.store.Subscriptions(ctx,
		store.SubscriptionQuery{Tenant: tenant, Cursor: cursor, Limit: EventPage})
	if err != nil {
		return EventReport{}, err
	}
	deliveries, err := missed.Deliveries(ctx, d.store, &ev, subs.Items)
	if err != nil {
		return EventReport{}, err
	}
	report := EventReport{Event: ev, Next: subs.Next}
	for i := range subs.Items {
		s := EventSubscription{Subscription: subs.Items[i], Delivery: deliveries[subs.Items[i].ID]}
		s.Missed = Missed(missed.Why(&s.Subscription, s.Delivery, &ev))
		report.Subscriptions = append(report.Subscriptions, s)
	}
	return report, nil
}
