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

// EnqueueTx is Enqueue in a transaction of the host: the events are stored when it commits,
// together with all else that it writes, and not at all when it is rolled back. tx must be a
// transaction that writes, of the database that New was given. When EnqueueTx returns an error the
// host must roll tx back.
//
// As any other transaction that writes, it must not wait for another call of this store: it holds
// the file's only write lock.
func (s *Store) EnqueueTx(tx *bolt.Tx, evs ...events.Event) error {
	built, err := record.NewEvents(evs)
	if err == nil {
		err = s.checkTx(tx)
	}
	if err == nil {
		err = guarded(func() error { return s.enqueueTx(tx, built) })
	}
	if err != nil {
		return fmt.Errorf("boltstore: enqueue: %w", err)
	}
	return nil
}

// checkTx returns an error if a transaction is not one that the store can write in.
func (s *Store) checkTx(tx *bolt.Tx) error {
	switch {
	case s.db.closed.Load():
		return store.ErrClosed
	case tx == nil || tx.DB() == nil:
		return errors.New("the transaction has ended")
	case tx.DB() != s.db.file.DB():
		return errors.New("the transaction is of another database")
	case !tx.Writable():
		return errors.New("the transaction is for reading only")
	}
	return nil
}

// enqueueTx stores the events, and has memory learn of it when the host commits.
func (s *Store) enqueueTx(tx *bolt.Tx, built []*record.Event) error {
	t, err := s.db.wrap(tx)
	if err != nil {
		return err
	}
	s.state.adopt(tx)
	if err := t.Enqueue(built); err != nil {
		return err
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(t.Effects()) == 0 {
		return nil
	}
	e := s.state.expect(tx, t.Effects())
	tx.OnCommit(func() { s.hostCommitted(e) })
	return nil
}

// hostCommitted is called by the host's commit. When memory has got too much, it makes room at
// once.
func (s *Store) hostCommitted(e *unapplied) {
	s.state.Lock()
	s.state.committed(e)
	full := s.state.memory.Above > s.state.memory.Budget
	s.state.Unlock()
	if full {
		// The operation writes nothing; what is due rides on its commit.
		_ = s.commits.submit(context.Background(), &op{run: func(*txn.Tx) error { return nil }})
	}
}
