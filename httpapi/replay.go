package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/outhook/outhook/store"
)

// redeliver sends one event to a webhook again and returns the delivery. Where the delivery is left
// as it is because its event was erased, the client is told, as it would wait in vain.
func (a *api) redeliver(ctx context.Context, tenant string, f *fields) (any, error) {
	webhookID, eventID, err := a.ownDelivery(ctx, tenant, f)
	if err != nil {
		return nil, err
	}
	err = a.d.Redeliver(ctx, webhookID, eventID)
	// Before noDelivery and the default: the client can do something about this one.
	if errors.Is(err, store.ErrConflict) {
		return nil, &refusal{http.StatusConflict,
			"the webhook is unsubscribed; subscribe it before sending to it again"}
	}
	if err != nil {
		return nil, noDelivery(err)
	}
	// As it is now: it may be under way, or delivered already.
	page, err := a.d.Deliveries(ctx,
		store.DeliveryQuery{Tenant: tenant, SubscriptionID: webhookID, EventID: eventID, Limit: 1})
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
	return newDelivery(d), nil
}

// replay sends all deliveries that a filter matches again, or counts them. It works in steps, each
// a transaction, so a failure in the middle leaves some pending again; the message says how many.
func (a *api) replay(ctx context.Context, tenant string, f *fields) (any, error) {
	q, dryRun := readFilter(f, tenant), f.boolField("dry_run", false)
	if f.err != nil {
		return nil, f.err
	}
	if err := a.ownFilter(ctx, &q); err != nil {
		return nil, err
	}
	if dryRun {
		n, err := a.d.ReplayCount(ctx, q)
		return count{n}, err
	}
	n, err := a.d.Replay(ctx, q)
	// Not the usual message for a failure, which says that nothing was changed.
	if err != nil && n > 0 {
		a.logFailure(ctx, "replay", err)
		return nil, &refusal{http.StatusServiceUnavailable,
			fmt.Sprintf(
				"the store failed when %d deliveries were pending again; send the request again for the rest",
				n)}
	}
	return count{n}, err
}
