package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/outhook/outhook/httpapi/internal/ask"
	"github.com/outhook/outhook/httpapi/internal/wire"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// subscribe makes a webhook, or replaces the tenant's with the same id, as Airy does. An operator
// who names no tenant replaces the webhook of any, and makes one of the tenant "".
func (a *api) subscribe(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	scope := acc.scope(f)
	sub := ask.Subscription(f, scope.Tenant, a.ownerMay())
	generated := a.o.Signing.apply(&sub, f)
	if f.Err != nil {
		return nil, f.Err
	}
	if scope.AnyTenant && sub.ID != "" {
		// That there is none is no error, and a wrong id is Subscribe's.
		if old, err := a.d.Subscription(ctx, sub.ID); err == nil {
			sub.Tenant = old.Tenant
		}
	}
	sub, err := a.d.Subscribe(ctx, sub)
	w := acc.view().Webhook(&sub)
	w.GeneratedKey = string(generated)
	return w, err
}

// ownerMay returns what the owner of a webhook may set of that which is the host's to allow.
func (a *api) ownerMay() ask.May {
	may := a.d.OwnerMay()
	return ask.May{Filter: true, Rate: may.Rate > 0, Timeout: may.Timeout > 0}
}

// update changes the fields that a request has.
func (a *api) update(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	id := f.Required("id")
	c := ask.ReadChange(f, a.ownerMay())
	a.o.Signing.check(&c, f)
	seen, _ := f.Text("version")
	if f.Err != nil {
		return nil, f.Err
	}
	return a.change(ctx, acc, id, seen, c.Apply)
}

// unsubscribe stops deliveries to a webhook, which stays. A url that comes along is ignored.
func (a *api) unsubscribe(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	id := f.Required("id")
	if f.Err != nil {
		return nil, f.Err
	}
	return a.change(ctx, acc, id, "", func(sub *store.Subscription) {
		sub.Status, sub.DisabledReason = store.Unsubscribed, ""
	})
}

// change changes a webhook of the tenant. It checks the tenant, and that the webhook has the
// version that was seen unless that is empty, in the transaction of the change, so that nothing
// comes between.
func (a *api) change(
	ctx context.Context, acc Access, id, seen string, apply func(*store.Subscription),
) (any, error) {
	sub, err := a.d.Update(ctx, id, func(sub *store.Subscription) error {
		if !acc.reaches(sub) { // see ownID
			return store.ErrNotFound
		}
		if seen != "" && seen != wire.Version(sub) {
			return errChanged
		}
		apply(sub)
		return nil
	})
	return acc.view().Webhook(&sub), err
}

// errChanged refuses a change of a version of a webhook that it no longer has.
var errChanged = &refusal{http.StatusConflict,
	"the webhook has changed since this version; read it again with webhooks.info"}

// pause stops attempts at a webhook, and keeps what is published for it.
func (a *api) pause(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	return a.setPaused(ctx, acc, f, a.d.Pause)
}

// resume ends a pause. A webhook that is not paused stays as it is.
func (a *api) resume(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	return a.setPaused(ctx, acc, f, a.d.Resume)
}

// setPaused calls Pause or Resume for a webhook of the tenant. As with delete, nobody but the two
// tenants together could make it another's in between.
func (a *api) setPaused(
	ctx context.Context, acc Access, f *ask.Fields,
	set func(ctx context.Context, id string) (store.Subscription, error),
) (any, error) {
	sub, err := a.own(ctx, acc, f)
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
func (a *api) info(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	sub, err := a.own(ctx, acc, f)
	w := acc.view().Webhook(&sub)
	w.Version = wire.Version(&sub)
	return w, err
}

// delete removes a webhook of the tenant. Between the check of the tenant and the removal, the
// webhook could be deleted and another tenant could create one with the same UUID; only both
// tenants together could do that.
func (a *api) delete(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	sub, err := a.own(ctx, acc, f)
	if err != nil {
		return nil, err
	}
	return struct{}{}, a.d.Delete(ctx, sub.ID)
}

// The overlap of /webhooks.rotate: how long both keys sign.
const (
	DefaultOverlap = 24 * time.Hour // without overlap_seconds
	MaxOverlap     = 30 * 24 * time.Hour
)

// rotate gives a webhook a new key. Its response has the key, as one that was generated must be
// shown once; the only other one that has a key is that of subscribe, by SigningGenerate. A client
// that gives the key itself can repeat a request whose answer it has lost: the same key is added
// once. Of several requests with the same version, also at the same time, one rotates.
func (a *api) rotate(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	key, _ := ask.Key(f)
	overlap := DefaultOverlap
	if seconds, ok := f.Int("overlap_seconds", 0, int(MaxOverlap/time.Second)); ok {
		overlap = time.Duration(seconds) * time.Second
	}
	seen, _ := f.Text("version")
	sub, err := a.own(ctx, acc, f) // it returns f.Err, of the fields above too
	switch {
	case err != nil:
		return nil, err
	case seen == "":
		sub, err = a.d.RotateSecret(ctx, sub.ID, signing.Secret(key), overlap)
	case seen != wire.Version(&sub):
		err = errChanged
	default:
		sub, err = a.d.RotateSecretIf(ctx, sub.ID, sub.UpdatedAt, signing.Secret(key), overlap)
		if errors.Is(err, store.ErrConflict) {
			err = errChanged
		}
	}
	if err != nil {
		return nil, err
	}
	return wire.NewRotation(&sub), nil
}

// ping sends a request to a webhook now and returns its endpoint's answer: a webhook.ping, or the
// example of a type of the catalogue. It takes as long as the endpoint does, up to the dispatcher's
// Timeout. That the attempt failed is an answer and no error.
func (a *api) ping(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	eventType, _ := f.Text("event_type")
	sub, err := a.own(ctx, acc, f)
	if err != nil {
		return nil, err
	}
	var attempt store.Attempt
	if eventType == "" {
		attempt, err = a.d.Ping(ctx, sub.ID)
	} else {
		attempt, err = a.d.PingExample(ctx, sub.ID, eventType)
	}
	return wire.NewAnswer(&attempt), err
}

// stats returns the figures of a webhook: what is pending, the last hour and day, and its health.
// An operator who names none gets those of the host.
func (a *api) stats(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	if acc.AnyTenant && !f.Has("id") && f.Err == nil {
		s, err := a.d.Stats(ctx)
		return wire.NewHostStats(&s), err
	}
	sub, err := a.own(ctx, acc, f)
	if err != nil {
		return nil, err
	}
	s, err := a.d.SubscriptionStats(ctx, sub.ID)
	return acc.view().Stats(&sub, &s), err
}

// figures returns how many attempts succeeded and failed, and how fast, by the minute or the hour:
// of a webhook, of the tenant, or for an operator who names neither of the host.
func (a *api) figures(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	q := ask.Figures(f, acc.scope(f))
	if f.Err != nil {
		return nil, f.Err
	}
	if q.SubscriptionID != "" {
		sub, err := a.ownID(ctx, acc, "id", q.SubscriptionID)
		if err != nil {
			return nil, err
		}
		if !q.AnyTenant && sub.Tenant != q.Tenant { // the one that an operator has named
			return nil, store.ErrNotFound
		}
		q = store.FiguresQuery{SubscriptionID: sub.ID, Per: q.Per}
	}
	figures, err := a.d.Figures(ctx, q)
	return wire.NewFigures(&figures), err
}

// events lists the event types that the host declares, the same for every tenant. The list is empty
// if it declares none.
func (a *api) events(context.Context, Access, *ask.Fields) (any, error) {
	return wire.NewCatalogue(a.d.EventTypes()), nil
}
