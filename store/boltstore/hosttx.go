package boltstore

import (
	"context"
	"errors"
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
// As any other transaction that writes, it holds the file's only write lock, so the host must not
// wait inside it for a call of this store that writes.
func (s *Store) Tx(tx *bolt.Tx) store.Tx { return hostTx{s, tx} }

// EnqueueTx is Enqueue in a transaction of the host; see [Store.Tx]. It is the store's part alone:
// a host publishes by PublishTx of package dispatcher, which has all the checks of Publish.
func (s *Store) EnqueueTx(tx *bolt.Tx, evs ...events.Event) error {
	return hostTx{s, tx}.Enqueue(context.Background(), evs...)
}

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
		err = h.s.checkTx(h.tx)
	}
	if err == nil {
		err = guarded(func() error { return h.s.enqueueTx(h.tx, built) })
	}
	if err != nil {
		return fmt.Errorf("boltstore: enqueue: %w", err)
	}
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

// checkTx returns an error if a transaction is not one that the store can write in.
func (s *Store) checkTx(tx *bolt.Tx) error {
	switch {
	// The host's transaction may go on without the store.
	case s.db.closed.Load():
		return store.ErrClosed
	// bbolt takes the database away from a transaction that has ended.
	case tx == nil || tx.DB() == nil:
		return errors.New("the transaction has ended")
	case tx.DB() != s.db.file.DB():
		return errors.New("the transaction is of another database")
	case !tx.Writable():
		return errors.New("the transaction is for reading only")
	}
	return nil
}

// enqueueTx stores the events, and has memory learn of it when the host commits. Nothing rides on
// the host's transaction; see hostCommitted. It may be called many times in one transaction, each
// with a Tx of its own.
func (s *Store) enqueueTx(tx *bolt.Tx, built []*record.Event) error {
	t, err := s.db.wrap(tx)
	if err != nil {
		return err
	}
	// The host may have committed others since the store wrote last, and before this one adds its
	// own, memory must have those.
	s.state.adopt(tx)
	if err := t.Enqueue(built); err != nil {
		return err
	}
	// Not Complete: it would write what rides along.
	if err := t.Flush(); err != nil {
		return err
	}
	tx.OnCommit(func() { s.countUnwanted(built) })
	if len(t.Effects()) == 0 {
		return nil
	}
	// Noted before the commit, which bbolt tells of only afterwards, when another may have begun.
	e := s.state.expect(tx, t.Effects())
	tx.OnCommit(func() { s.hostCommitted(e) })
	return nil
}

// hostCommitted is called by the host's commit. When memory has got too much, it makes room at
// once. bbolt calls it in Commit, when the write lock is free again.
func (s *Store) hostCommitted(e *unapplied) {
	s.state.Lock()
	s.state.committed(e)
	// Otherwise the next operation of the store takes the rise along; but a host that only
	// publishes in its own transactions may have none for long.
	full := s.state.memory.Above > s.state.memory.Budget
	s.state.Unlock()
	if full {
		// The operation writes nothing; what is due rides on its commit.
		_ = s.commits.submit(context.Background(), &op{run: func(*txn.Tx) error { return nil }})
	}
}
