package dispatcher

import (
	"context"
	"errors"
	"time"

	"github.com/outhook/outhook/store"
)

// pruneEvery is how often the store is asked whether there is something to remove.
const pruneEvery = time.Minute

// housekeep prunes the store now and then, and soon after a subscription has left something to tidy up.
func (r *run) housekeep(ctx context.Context) {
	timer := time.NewTimer(pruneEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.untidy:
		case <-timer.C:
		}
		r.prune(ctx)
		timer.Reset(pruneEvery)
	}
}

// prune takes steps until there is no more to do.
func (r *run) prune(ctx context.Context) {
	keep := store.Retention{Delivered: max(r.o.Retention, 0), Failed: max(r.o.FailedRetention, 0)}
	for ctx.Err() == nil {
		more, err := protect(func() (bool, error) { return r.store.Prune(ctx, keep) })
		switch {
		case errors.Is(err, store.ErrClosed):
			r.roomMade() // claimUntil finds out, and ends Run
			return
		case err != nil && ctx.Err() == nil:
			r.storeTrouble("prune", err)
			return
		case !more:
			return
		}
	}
}
