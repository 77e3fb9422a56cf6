package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/internal/ask"
	"github.com/outhook/outhook/httpapi/internal/wire"
	"github.com/outhook/outhook/store"
)

// deliveries has the endpoints about what was sent.
type deliveries struct{ *api }

// list lists deliveries of the tenant, newest first, by filters and pages.
func (ds deliveries) list(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	q := ask.DeliveriesPage(f, ask.Deliveries(f, acc.scope(f)), pageBounds())
	if f.Err != nil {
		return nil, f.Err
	}
	if err := ds.ownFilter(ctx, acc, &q); err != nil {
		return nil, err
	}
	page, err := ds.d.Deliveries(ctx, q)
	return acc.view().Deliveries(&page, q.Count), err
}

// ownFilter returns an error if a filter names a webhook that is not the tenant's. It also gives
// the filter the ID as it is stored: a request may spell a UUID in upper case.
func (ds deliveries) ownFilter(ctx context.Context, acc Access, q *store.DeliveryQuery) error {
	if q.SubscriptionID == "" {
		return nil
	}
	sub, err := ds.ownID(ctx, acc, "webhook_id", q.SubscriptionID)
	q.SubscriptionID = sub.ID
	return err
}

// event shows an event of the tenant, and which of the tenant's webhooks got it or why they did
// not. Tenants have IDs of their own, so an operator must say whose event it is.
func (ds deliveries) event(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	id := f.Required("event_id")
	f.CheckEventID("event_id", id)
	cursor, _ := f.Text("cursor")
	scope := acc.scope(f)
	if scope.AnyTenant {
		f.Fail("tenant", "is missing; say whose event it is, since each tenant has IDs of its own")
	}
	if f.Err != nil {
		return nil, f.Err
	}
	report, err := ds.d.Event(ctx,
		dispatcher.EventQuery{Tenant: scope.Tenant, EventID: id, Cursor: cursor})
	if errors.Is(err, store.ErrNotFound) {
		return nil, &refusal{http.StatusNotFound, "there is no event with this id: it was not " +
			"published, or no webhook was to get it, or it was removed with its deliveries"}
	}
	return acc.view().EventReport(&report), err
}

// attempts lists the requests of one delivery, oldest first, with what the endpoint answered.
func (ds deliveries) attempts(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	webhookID, eventID, err := ds.ownDelivery(ctx, acc, f)
	if err != nil {
		return nil, err
	}
	attempts, err := ds.d.Attempts(ctx, webhookID, eventID)
	return acc.view().Attempts(attempts), noDelivery(err)
}

// ownDelivery reads which delivery a request is about. It checks that the webhook is the tenant's,
// not that the delivery exists; what the dispatcher answers then is for noDelivery.
func (ds deliveries) ownDelivery(ctx context.Context, acc Access, f *ask.Fields) (
	webhookID, eventID string, err error,
) {
	webhookID, eventID = f.Required("webhook_id"), f.Required("event_id")
	f.CheckEventID("event_id", eventID)
	if f.Err != nil {
		return "", "", f.Err
	}
	sub, err := ds.ownID(ctx, acc, "webhook_id", webhookID)
	return sub.ID, eventID, err
}

// noDelivery turns store.ErrNotFound into an error about the delivery, for a webhook that exists.
// It returns other errors as they are.
func noDelivery(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return &refusal{http.StatusNotFound, "there is no delivery of this event to this webhook; " +
			"webhooks.deliveries shows those that exist"}
	}
	return err
}

// redeliver sends one event to a webhook again and returns the delivery. Where the delivery is left
// as it is because its event was erased, the client is told, as it would wait in vain.
func (ds deliveries) redeliver(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	webhookID, eventID, err := ds.ownDelivery(ctx, acc, f)
	if err != nil {
		return nil, err
	}
	err = ds.d.Redeliver(ctx, webhookID, eventID)
	// Before noDelivery and the default: the client can do something about this one.
	if errors.Is(err, store.ErrConflict) {
		return nil, &refusal{http.StatusConflict,
			"the webhook is unsubscribed; subscribe it before sending to it again"}
	}
	if err != nil {
		return nil, noDelivery(err)
	}
	// As it is now: it may be under way, or delivered already.
	page, err := ds.d.Deliveries(ctx, store.DeliveryQuery{
		Tenant: acc.Tenant, AnyTenant: acc.AnyTenant, SubscriptionID: webhookID, EventID: eventID,
		Limit: 1,
	})
	if err == nil && len(page.Items) == 0 { // its webhook was deleted in between
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, noDelivery(err)
	}
	d := &page.Items[0]
	if d.Erased {
		return nil, &refusal{http.StatusConflict, "the event was erased and can't be sent again"}
	}
	return acc.view().Delivery(d), nil
}

// replay sends all deliveries that a filter matches again, or counts them; or it does a step of
// that, where the request asks for pages. A request that names nothing is refused: it would send
// everything again, and is more likely a mistake.
func (ds deliveries) replay(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	q, dryRun := ask.Deliveries(f, acc.scope(f)), f.Bool("dry_run", false)
	inSteps := ask.ReplayStep(f, &q, pageBounds())
	if q.SubscriptionID == "" && q.EventID == "" && len(q.States) == 0 && q.Since.IsZero() &&
		q.Until.IsZero() {
		f.Fail("body", "names nothing to replay; give one or more of webhook_id, event_id, state, "+
			"since and until")
	}
	if dryRun && inSteps {
		f.Fail("dry_run", "counts all that matches; leave out cursor and page_size")
	}
	if f.Err != nil {
		return nil, f.Err
	}
	if err := ds.ownFilter(ctx, acc, &q); err != nil {
		return nil, err
	}
	switch {
	case dryRun:
		n, err := ds.d.ReplayCount(ctx, q)
		return wire.Count{Count: n}, err
	case inSteps:
		step, err := ds.d.ReplayStep(ctx, q)
		if err != nil && step.Replayed > 0 {
			// They are pending, and the client needs the cursor. What failed is to have those that
			// are held probed now; they are at their next probe.
			ds.logFailure(ctx, "replay", err)
			err = nil
		}
		return wire.ReplayStep{Count: step.Replayed, NextCursor: step.Next}, err
	}
	return ds.replayAll(ctx, q)
}

// replayAll works in steps, each a transaction, so a failure in the middle leaves some pending
// again; the message says how many.
func (ds deliveries) replayAll(ctx context.Context, q store.DeliveryQuery) (any, error) {
	n, err := ds.d.Replay(ctx, q)
	// Not the usual message for a failure, which does not say how far it got.
	if err != nil && n > 0 {
		ds.logFailure(ctx, "replay", err)
		return nil, &refusal{http.StatusServiceUnavailable,
			fmt.Sprintf(
				"the store failed when %d deliveries were pending again; send the request again for the rest",
				n)}
	}
	return wire.Count{Count: n}, err
}
