package httpapi

import (
	"context"

	"github.com/outhook/outhook/store"
)

// subscribe makes a webhook, or replaces the tenant's with the same id, as Airy does.
func (a *api) subscribe(ctx context.Context, tenant string, f *fields) (any, error) {
	sub := readSubscription(f, tenant)
	generated := a.o.Signing.apply(&sub, f)
	if f.err != nil {
		return nil, f.err
	}
	sub, err := a.d.Subscribe(ctx, sub)
	w := newWebhook(&sub)
	w.GeneratedKey = string(generated)
	return w, err
}

// update changes the fields that a request has.
func (a *api) update(ctx context.Context, tenant string, f *fields) (any, error) {
	id := f.required("id")
	c := readChange(f)
	a.o.Signing.check(&c, f)
	if f.err != nil {
		return nil, f.err
	}
	return a.change(ctx, tenant, id, c.apply)
}

// unsubscribe stops deliveries to a webhook, which stays. A url that comes along is ignored.
func (a *api) unsubscribe(ctx context.Context, tenant string, f *fields) (any, error) {
	id := f.required("id")
	if f.err != nil {
		return nil, f.err
	}
	return a.change(ctx, tenant, id, func(sub *store.Subscription) {
		sub.Status, sub.DisabledReason = store.Unsubscribed, ""
	})
}

// change changes a webhook of the tenant. It checks the tenant in the transaction of the change, so
// that nothing comes between.
func (a *api) change(ctx context.Context, tenant, id string, apply func(*store.Subscription)) (any,
	error) {
	sub, err := a.d.Update(ctx, id, func(sub *store.Subscription) error {
		if sub.Tenant != tenant { // see ownID
			return store.ErrNotFound
		}
		apply(sub)
		return nil
	})
	return newWebhook(&sub), err
}

// info returns a webhook.
func (a *api) info(ctx context.Context, tenant string, f *fields) (any, error) {
	sub, err := a.own(ctx, tenant, f)
	return newWebhook(&sub), err
}

// delete removes a webhook of the tenant. Between the check of the tenant and the removal, the
// webhook could be deleted and another tenant could create one with the same UUID; only both
// tenants together could do that.
func (a *api) delete(ctx context.Context, tenant string, f *fields) (any, error) {
	sub, err := a.own(ctx, tenant, f)
	if err != nil {
		return nil, err
	}
	return struct{}{}, a.d.Delete(ctx, sub.ID)
}
