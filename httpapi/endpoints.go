package httpapi

import (
	"context"

	"github.com/outhook/outhook/store"
)

// endpoint is one of the paths and what it does.
type endpoint struct {
	name      string   // after "webhooks."
	takes     []string // the fields of its request, in the order in which messages list them
	ready     bool     // it needs a host that delivers
	emptyBody bool     // no body is the same as {}

	// run does it for a tenant and returns the response.
	run func(ctx context.Context, tenant string, f *fields) (any, error)
}

func (a *api) endpoints() []endpoint {
	return []endpoint{{
		name: "subscribe", ready: true, run: a.subscribe,
		takes: []string{"url", "id", "name", "events", "headers", "signature_key", "signatureKey", "status"},
	}, {
		name: "update", ready: true, run: a.update,
		takes: []string{"id", "url", "name", "events", "headers", "signature_key", "signatureKey", "status"},
	}, {
		name: "unsubscribe", run: a.unsubscribe,
		takes: []string{"id", "url"},
	}, {
		name: "info", run: a.info,
		takes: []string{"id"},
	}, {
		name: "list", run: a.list, emptyBody: true,
		takes: []string{"cursor", "page_size"},
	}}
}

func (a *api) subscribe(ctx context.Context, tenant string, f *fields) (any, error) {
	sub := readSubscription(f, tenant)
	if f.err != nil {
		return nil, f.err
	}
	sub, err := a.d.Subscribe(ctx, sub)
	return newWebhook(&sub), err
}

func (a *api) update(ctx context.Context, tenant string, f *fields) (any, error) {
	id := f.required("id")
	c := readChange(f)
	if f.err != nil {
		return nil, f.err
	}
	return a.change(ctx, tenant, id, c.apply)
}

func (a *api) unsubscribe(ctx context.Context, tenant string, f *fields) (any, error) {
	id := f.required("id")
	if f.err != nil {
		return nil, f.err
	}
	return a.change(ctx, tenant, id, func(sub *store.Subscription) {
		sub.Status, sub.DisabledReason = store.Unsubscribed, ""
	})
}

// change alters a webhook of the tenant. Whose it is gets checked in the transaction that alters it, so that there is no
// time between the two.
func (a *api) change(ctx context.Context, tenant, id string, apply func(*store.Subscription)) (any, error) {
	sub, err := a.d.Update(ctx, id, func(sub *store.Subscription) error {
		if sub.Tenant != tenant {
			return store.ErrNotFound
		}
		apply(sub)
		return nil
	})
	return newWebhook(&sub), err
}

func (a *api) info(ctx context.Context, tenant string, f *fields) (any, error) {
	id := f.required("id")
	if f.err != nil {
		return nil, f.err
	}
	sub, err := a.d.Subscription(ctx, id)
	if err == nil && sub.Tenant != tenant {
		err = store.ErrNotFound
	}
	return newWebhook(&sub), err
}

func (a *api) list(ctx context.Context, tenant string, f *fields) (any, error) {
	q, paged := readQuery(f, tenant)
	if f.err != nil {
		return nil, f.err
	}
	page, err := a.d.Subscriptions(ctx, q)
	return newWebhooks(&page, paged), err
}
