package shards

import (
	"context"
	"errors"
	"fmt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// ElsewhereError says that a transaction is of another store than the one that has a tenant. Begin
// it on that one's database.
type ElsewhereError struct {
	Tenant string
	Shard  int // the store of the transaction, counted from 0
	Home   int // the store that has the tenant
}

func (e *ElsewhereError) Error() string {
	return fmt.Sprintf("shards: the transaction is of store %d, and tenant %q is in store %d; "+
		"publish in a transaction of that one", e.Shard, e.Tenant, e.Home)
}

// Tx returns a transaction of the host on one of the stores, counted from 0, for PublishTx of
// package dispatcher. tx is what that store has made of the transaction:
//
//	err := db.Update(func(tx *bbolt.Tx) error { // the database of first, which is store 0
//		…
//		return d.PublishTx(ctx, s.Tx(0, first.Tx(tx)), event)
//	})
//
// It refuses events of a tenant that is in another store, with an [ElsewhereError], and of one that
// is being moved, with a [MovingError] and without waiting. Then nothing of the call has been done,
// and the transaction is as it was.
func (s *Store) Tx(shard int, tx store.Tx) store.Tx { return hostTx{tx, s, shard} }

// hostTx is a transaction of the host. It implements [store.Tx].
//
// A store in which nobody wants an event takes it and stores nothing, which is right for a store
// that has the tenant. So another one must not be asked at all.
type hostTx struct {
	store.Tx
	s     *Store
	shard int
}

// Enqueue implements [store.Tx].
func (h hostTx) Enqueue(ctx context.Context, evs ...events.Event) error {
	if err := h.check(ctx, evs); err != nil {
		return err
	}
	// A Move that closes the tenant from here on needs a commit of this store: it comes before the
	// transaction, which sees it then, or after, and has its events to copy.
	err := h.Tx.Enqueue(ctx, evs...)
	if !errors.Is(err, store.ErrMoved) {
		return err
	}
	// Another process has moved a tenant. Which, and where to, is told by another look.
	h.s.homes.outdated(h.s.shards[h.shard])
	if known := h.check(ctx, evs); known != nil {
		return known
	}
	return err
}

// CountPending implements [store.Tx].
func (h hostTx) CountPending(ctx context.Context, tenant string, limit int) (int, error) {
	if err := h.check(ctx, []events.Event{{Tenant: tenant}}); err != nil {
		return 0, err
	}
	return h.Tx.CountPending(ctx, tenant, limit)
}

// check returns an error unless the tenants of all events are in the store of the transaction.
func (h hostTx) check(ctx context.Context, evs []events.Event) error {
	if h.Tx == nil {
		return errors.New("shards: the transaction is nil; give what a store's method Tx has returned")
	}
	if h.shard < 0 || h.shard >= len(h.s.shards) {
		return fmt.Errorf("shards: the transaction is of store %d; there are 0 to %d", h.shard,
			len(h.s.shards)-1)
	}
	if err := h.s.begin(ctx); err != nil {
		return err
	}
	for i := range evs {
		tenant := evs[i].Tenant
		if i > 0 && tenant == evs[i-1].Tenant {
			continue
		}
		// Not home, which waits for a Move, and the Move may wait for the lock of this transaction.
		sh, err := h.s.homes.find(ctx, tenant, writes)
		if err != nil {
			return err
		}
		if sh.index != h.shard {
			return &ElsewhereError{tenant, h.shard, sh.index}
		}
	}
	return nil
}
