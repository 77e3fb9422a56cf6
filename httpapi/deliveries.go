package httpapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/outhook/outhook/store"
)

// deliveries lists deliveries of the tenant, newest first, by filters and pages.
func (a *api) deliveries(ctx context.Context, tenant string, f *fields) (any, error) {
	q := readPage(f, readFilter(f, tenant))
	if f.err != nil {
		return nil, f.err
	}
	if err := a.ownFilter(ctx, &q); err != nil {
		return nil, err
	}
	page, err := a.d.Deliveries(ctx, q)
	return newDeliveries(&page, q.Count), err
}

// ownFilter returns an error if a filter names a webhook that is not the tenant's. It also gives
// the filter the ID as it is stored: a request may spell a UUID in upper case.
func (a *api) ownFilter(ctx context.Context, q *store.DeliveryQuery) error {
	if q.SubscriptionID == "" {
		return nil
	}
	sub, err := a.ownID(ctx, q.Tenant, "webhook_id", q.SubscriptionID)
	q.SubscriptionID = sub.ID
	return err
}

// attempts lists the requests of one delivery, oldest first, with what the endpoint answered.
func (a *api) attempts(ctx context.Context, tenant string, f *fields) (any, error) {
	webhookID, eventID, err := a.ownDelivery(ctx, tenant, f)
	if err != nil {
		return nil, err
	}
	attempts, err := a.d.Attempts(ctx, webhookID, eventID)
	return newAttempts(attempts), noDelivery(err)
}

// ownDelivery reads which delivery a request is about. It checks that the webhook is the tenant's,
// not that the delivery exists; what the dispatcher answers then is for noDelivery.
func (a *api) ownDelivery(ctx context.Context, tenant string, f *fields) (webhookID, eventID string,
	err error) {
	webhookID, eventID = f.required("webhook_id"), f.required("event_id")
	f.checkEventID("event_id", eventID)
	if f.err != nil {
		return "", "", f.err
	}
	sub, err := a.ownID(ctx, tenant, "webhook_id", webhookID)
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
