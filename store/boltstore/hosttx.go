package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"

	bolt "go.etcd.io/bbolt"
)

// Tx returns a transaction of the host as PublishTx of package dispatcher takes it, so that an
// event is stored if and only if the rest of the transaction is. tx must be a transaction that
// writes, of the database that New was given. When a method of the Tx returns an error other than
// an *events.InvalidError, the host must roll tx back.
//
// A transaction that writes holds the file's only write lock. So inside it the host must not call
// anything that writes to this store by itself, such as Publish or Subscribe of package dispatcher:
// the call would wait for the transaction until its context ends.
func (s *Store) Tx(tx *bolt.Tx) store.Tx { return hostTx{s, tx} }

// hostTx is a transaction of the host. It implements [store.Tx].
type hostTx struct {
	s  *Store
	tx *bolt.Tx
}

// Enqueue implements [store.Tx]. It does not wait, so the context counts only when it begins.
func (h hostTx) Enqueue(ctx context.Context, evs ...events.Event) error {
	built, err := record.NewEvents(evs)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = h.s.db.InHostTx(h.tx, func(t *txn.Tx) error { return t.Enqueue(built, nil) })
	}
	if err != nil {
		return fmt.Errorf("boltstore: enqueue: %w", err)
	}
	h.tx.OnCommit(func() { h.s.countUnwanted(built) })
	return nil
}

// CountPending implements [store.Tx]. Unlike the store's own it finishes no erasure first: that is
// a write, which would wait for the very transaction that it is called in.
func (h hostTx) CountPending(ctx context.Context, tenant string, limit int) (int, error) {
	n, err := h.s.statistics.pendingOf(ctx, tenant)
	if err != nil {
		return 0, fmt.Errorf("boltstore: count pending: %w", err)
	}
	return min(n, max(limit, 0)), nil
}

// OnCommit implements [store.Tx].
func (h hostTx) OnCommit(f func()) bool {
	h.tx.OnCommit(f)
	return true
}
