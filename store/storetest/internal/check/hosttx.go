package check

import (
	"context"

	"github.com/outhook/outhook/events"
)

// HostTx is a transaction of the host's in which a store enqueues events.
type HostTx interface {
	Enqueue(ctx context.Context, evs ...events.Event) error
	Commit(ctx context.Context) error
	Rollback(ctx context.Context) error
}

// Hosted begins transactions of the host's.
type Hosted struct {
	begin func() HostTx

	// Exclusive says that nobody else writes while one is open.
	Exclusive bool
}

// Enqueued begins a transaction of the host's and enqueues events in it.
func (c *Driver) Enqueued(evs ...events.Event) HostTx {
	tx := c.Hosted.begin()
	if err := tx.Enqueue(c.Ctx, evs...); err != nil {
		c.Must("Rollback", tx.Rollback(c.Ctx))
		c.Fatalf("Enqueue in a transaction of the host's: got error %v", err)
	}
	return tx
}
