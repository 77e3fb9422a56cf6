package check

import (
	"context"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// HostTx is a host transaction in which a store enqueues events.
type HostTx interface {
	store.Tx
	Commit(ctx context.Context) error
	Rollback(ctx context.Context) error
}

// Hosted begins host transactions.
type Hosted struct {
	begin func() HostTx

	// Exclusive says that other calls that write wait while one is open.
	Exclusive bool
}

// Begin begins a host transaction.
func (h *Hosted) Begin() HostTx { return h.begin() }

// Enqueued begins a host transaction and enqueues events in it.
func (c *Driver) Enqueued(evs ...events.Event) HostTx {
	tx := c.Hosted.begin()
	if err := tx.Enqueue(c.Ctx(), evs...); err != nil {
		c.Must("Rollback", tx.Rollback(c.Ctx()))
		c.Fatalf("Enqueue in a host transaction: got error %v", err)
	}
	return tx
}
