package engine

import (
	"context"
	"errors"
	"time"

	"github.com/outhook/outhook/store"
)

// pruneEvery is how often the store is asked whether there is something to remove.
const pruneEvery = time.Minute

// maintain prunes the store now and then, and soon after a change has left something to remove.
func (r *run) maintain(ctx context.Context) {
	timer := time.NewTimer(pruneEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.pruneDue:
		case <-timer.C:
		}
		r.prune(ctx)
		timer.Reset(pruneEvery)
	}
}

// prune takes steps until there is no more to do. A step is bounded by the store, so that
// publishers get their turn between two of them. An error ends it until the next minute: nobody
// waits for this.
func (r *run) prune(ctx context.Context) {
	for ctx.Err() == nil {
		more, err := protect(func() (bool, error) { return r.Store.Prune(ctx, r.Retention) })
		switch {
		case errors.Is(err, store.ErrClosed):
			r.tickets.wakeClaimer() // claimLoop finds out, and ends Run
			return
		case err != nil && ctx.Err() == nil:
			r.storeTrouble("prune", err)
			return
		case !more:
			return
		}
	}
}
