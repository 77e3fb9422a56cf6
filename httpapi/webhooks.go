package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/outhook/outhook/httpapi/internal/ask"
	"github.com/outhook/outhook/httpapi/internal/wire"
	"github.com/outhook/outhook/store"
)

// webhooks has the endpoints that make, show and change webhooks.
type webhooks struct{ *api }

// subscribe makes a webhook, or replaces the tenant's with the same id, as Airy does. An operator
// who names no tenant replaces the webhook of any, and makes one of the tenant "".
func (ws webhooks) subscribe(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	scope := acc.scope(f)
	sub := ask.Subscription(f, scope.Tenant)
	generated := ws.o.Signing.apply(&sub, f)
	if f.Err != nil {
		return nil, f.Err
	}
	if scope.AnyTenant && sub.ID != "" {
		// That there is none is no error, and a wrong id is Subscribe's.
		if old, err := ws.d.Subscription(ctx, sub.ID); err == nil {
			sub.Tenant = old.Tenant
		}
	}
	sub, err := ws.d.Subscribe(ctx, sub)
	w := ws.webhook(acc, &sub)
	w.GeneratedKey = string(generated)
	return w, err
}

// webhook returns what a response shows of a webhook, with warnings.
func (ws webhooks) webhook(acc Access, sub *store.Subscription) wire.Webhook {
	w := acc.view().Webhook(sub)
	if len(wire.Deprecations(ws.deprecated, sub.Events)) > 0 {
		// A type that is hidden by now is not spoken of.
		w.Warnings = wire.Deprecations(ws.d.EventTypesFor(sub.Tenant), sub.Events)
	}
	return w
}

// update changes the fields that a request has.
func (ws webhooks) update(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	id := f.Required("id")
	c := ask.ReadChange(f)
	ws.o.Signing.check(&c, f)
	seen, _ := f.Text("version")
	if f.Err != nil {
		return nil, f.Err
	}
	return ws.change(ctx, acc, id, seen, c.Apply)
}

// unsubscribe stops deliveries to a webhook, which stays. A url that comes along is ignored.
func (ws webhooks) unsubscribe(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	id := f.Required("id")
	if f.Err != nil {
		return nil, f.Err
	}
	return ws.change(ctx, acc, id, "", func(sub *store.Subscription) {
		sub.Status, sub.DisabledReason = store.Unsubscribed, ""
	})
}

// change changes a webhook of the tenant. It checks the tenant, and that the webhook has the
// version that was seen unless that is empty, in the transaction of the change, so that nothing
// comes between.
func (ws webhooks) change(
	ctx context.Context, acc Access, id, seen string, apply func(*store.Subscription),
) (any, error) {
	sub, err := ws.d.Update(ctx, id, func(sub *store.Subscription) error {
		if !acc.reaches(sub) { // see ownID
			return store.ErrNotFound
		}
		if seen != "" && seen != wire.Version(sub) {
			return errChanged
		}
		apply(sub)
		return nil
	})
	return ws.webhook(acc, &sub), err
}

// errChanged refuses a change of a version of a webhook that it no longer has.
var errChanged = &refusal{http.StatusConflict,
	"the webhook has changed since this version; read it again with webhooks.info"}

// pause stops attempts at a webhook, and keeps what is published for it.
func (ws webhooks) pause(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	return ws.setPaused(ctx, acc, f, ws.d.Pause)
}

// resume ends a pause. A webhook that is not paused stays as it is.
func (ws webhooks) resume(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	return ws.setPaused(ctx, acc, f, ws.d.Resume)
}

// setPaused calls Pause or Resume for a webhook of the tenant. As with delete, nobody but the two
// tenants together could make it another's in between.
func (ws webhooks) setPaused(
	ctx context.Context, acc Access, f *ask.Fields,
	set func(ctx context.Context, id string) (store.Subscription, error),
) (any, error) {
	sub, err := ws.own(ctx, acc, f)
	if err != nil {
		return nil, err
	}
	sub, err = set(ctx, sub.ID)
	if errors.Is(err, store.ErrConflict) {
		return nil, &refusal{http.StatusConflict,
			"the webhook is unsubscribed, so nothing collects for it; subscribe it first"}
	}
	return acc.view().Webhook(&sub), err
}

// info returns a webhook, with the version that update and rotate take.
func (ws webhooks) info(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	sub, err := ws.own(ctx, acc, f)
	w := ws.webhook(acc, &sub)
	w.Version = wire.Version(&sub)
	return w, err
}

// delete removes a webhook of the tenant. Between the check of the tenant and the removal, the
// webhook could be deleted and another tenant could create one with the same UUID; only both
// tenants together could do that.
func (ws webhooks) delete(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	sub, err := ws.own(ctx, acc, f)
	if err != nil {
		return nil, err
	}
	return struct{}{}, ws.d.Delete(ctx, sub.ID)
}

// The overlap of /webhooks.rotate: how long both keys sign.
const (
	DefaultOverlap = 24 * time.Hour // without overlap_seconds
	MaxOverlap     = 30 * 24 * time.Hour
)

// rotate gives a webhook a new key. Its response has the key, as one that was generated must be
// shown once, or of an Ed25519 key the public half; the only other one that has a key is that of a
// subscribe that has generated it. A client that gives the key itself can repeat a request whose
// answer it has lost: the same key is added once. Of several requests with the same version, also
// at the same time, one rotates.
func (ws webhooks) rotate(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	key, _ := ask.NewKey(f)
	overlap := DefaultOverlap
	if seconds, ok := f.Int("overlap_seconds", 0, int(MaxOverlap/time.Second)); ok {
		overlap = time.Duration(seconds) * time.Second
	}
	seen, _ := f.Text("version")
	sub, err := ws.own(ctx, acc, f) // it returns f.Err, of the fields above too
	switch {
	case err != nil:
		return nil, err
	case seen == "":
		sub, err = ws.d.RotateSecret(ctx, sub.ID, key, overlap)
	case seen != wire.Version(&sub):
		err = errChanged
	default:
		sub, err = ws.d.RotateSecretIf(ctx, sub.ID, sub.UpdatedAt, key, overlap)
		if errors.Is(err, store.ErrConflict) {
			err = errChanged
		}
	}
	if err != nil {
		return nil, err
	}
	return wire.NewRotation(&sub), nil
}
