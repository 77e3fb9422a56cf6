package httpapi

import (
	"context"
	"errors"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// own returns the tenant's webhook that the field "id" of a request names. Its error is
// store.ErrNotFound, that of a wrong field, or the store's.
func (a *api) own(ctx context.Context, tenant string, f *fields) (store.Subscription, error) {
	id := f.required("id")
	if f.err != nil {
		return store.Subscription{}, f.err
	}
	return a.ownID(ctx, tenant, "id", id)
}

// ownID returns the tenant's webhook with the ID of a field. Another tenant's is store.ErrNotFound,
// like one that does not exist: with a 403, anybody could learn which IDs are taken.
func (a *api) ownID(ctx context.Context, tenant, field, id string) (store.Subscription, error) {
	sub, err := a.d.Subscription(ctx, id)
	if err != nil {
		return store.Subscription{}, inField(field, err)
	}
	// The store finds a subscription by its ID alone, of any tenant.
	if sub.Tenant != tenant {
		return store.Subscription{}, store.ErrNotFound
	}
	return sub, nil
}

// inField turns an *events.InvalidError into one about a field of the request: the dispatcher calls
// "id" what a request may call "webhook_id". It returns other errors as they are.
func inField(field string, err error) error {
	if invalid := (*events.InvalidError)(nil); errors.As(err, &invalid) {
		return &events.InvalidError{Field: field, Reason: invalid.Reason}
	}
	return err
}
