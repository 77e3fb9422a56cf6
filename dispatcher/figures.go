package dispatcher

import (
	"context"

	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/store"
)

// Figures sums up the attempts that were made lately, by every process that shares the store: those
// of the last 60 minutes by the minute, or of the last 72 hours by the hour; of a subscription, of
// those that a tenant has now, or of all that there are and were. It returns store.ErrNotFound if
// the subscription does not exist. The figures of the last ten seconds before a crash may be
// missing.
func (d *Dispatcher) Figures(ctx context.Context, q store.FiguresQuery) (store.Figures, error) {
	if err := check.FiguresQuery(&q); err != nil {
		return store.Figures{}, err
	}
	return d.store.Figures(ctx, q)
}
