package httpapi

import (
	"context"

	"github.com/outhook/outhook/httpapi/internal/ask"
	"github.com/outhook/outhook/httpapi/internal/wire"
	"github.com/outhook/outhook/store"
)

// figures has the endpoints about how many attempts there were, and how they went.
type figures struct{ *api }

// stats returns the figures of a webhook: what is pending, the last hour and day, and its health.
// An operator who names none gets those of the host.
func (fs figures) stats(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	if acc.AnyTenant && !f.Has("id") && f.Err == nil {
		s, err := fs.d.Stats(ctx)
		return wire.NewHostStats(&s), err
	}
	sub, err := fs.own(ctx, acc, f)
	if err != nil {
		return nil, err
	}
	s, err := fs.d.SubscriptionStats(ctx, sub.ID)
	return acc.view().Stats(&sub, &s), err
}

// figures returns how many attempts succeeded and failed, and how fast, by the minute or the hour:
// of a webhook, of the tenant, or for an operator who names neither of the host.
func (fs figures) figures(ctx context.Context, acc Access, f *ask.Fields) (any, error) {
	q := ask.Figures(f, acc.scope(f))
	if f.Err != nil {
		return nil, f.Err
	}
	if q.SubscriptionID != "" {
		sub, err := fs.ownID(ctx, acc, "id", q.SubscriptionID)
		if err != nil {
			return nil, err
		}
		if !q.AnyTenant && sub.Tenant != q.Tenant { // the one that an operator has named
			return nil, store.ErrNotFound
		}
		q = store.FiguresQuery{SubscriptionID: sub.ID, Per: q.Per}
	}
	figures, err := fs.d.Figures(ctx, q)
	return wire.NewFigures(&figures), err
}
