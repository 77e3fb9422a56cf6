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

	Next string // the Cursor of a query for those after them; empty after the last
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

// EventQuery names an event. Its Cursor is the Next of an earlier [EventReport], whose
// subscriptions the next report continues with; if empty, it begins with the oldest.
type EventQuery struct {
	Tenant, EventID string
	Cursor          string
}

// Event returns an event of a tenant, and for up to EventPage of the tenant's subscriptions the
// delivery of it, or why there is none. The reasons are those of the subscriptions' present
// settings. It returns store.ErrNotFound if the tenant has no such event: it was never published,
// no subscription wanted it, or it was removed with its last delivery. It returns an
// *events.InvalidError for a Cursor that is from no report.
func (d *Dispatcher) Event(ctx context.Context, q EventQuery) (EventReport, error) {
	ev, page, err := missed.Of(ctx, d.store, q.Tenant, q.EventID, q.Cursor, EventPage)
	report := EventReport{Event: ev, Next: page.Next}
	for _, s := range page.Items {
		report.Subscriptions = append(report.Subscriptions,
			EventSubscription{s.Subscription, s.Delivery, Missed(s.Why)})
	}
	return report, err
}
