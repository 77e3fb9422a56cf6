package boltstore

import (
	"context"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// EnqueueTx is Enqueue in a transaction of the host: the events are stored when it commits, together with whatever else
// it writes, and not at all when it is rolled back. tx must be a transaction that writes, of the database that New was
// given. When EnqueueTx returns an error the host must roll tx back.
//
// As any other transaction that writes, it must not wait for another call of this store: it holds the file's only
// write lock.
func (s *Store) EnqueueTx(tx *bolt.Tx, evs ...events.Event) error {
	built, err := newEvents(evs)
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

func (s *Store) checkTx(tx *bolt.Tx) error {
	switch {
	case s.closed.Load():
		return store.ErrClosed
	case tx == nil || tx.DB() == nil:
		return errors.New("the transaction has ended")
	case tx.DB() != s.db:
		return errors.New("the transaction is of another database")
	case !tx.Writable():
		return errors.New("the transaction is for reading only")
	}
	return nil
}

func (s *Store) enqueueTx(tx *bolt.Tx, built []*event) error {
	t, err := s.begin(tx)
	if err != nil {
		return err
	}
	s.adopt(t)
	if err := t.enqueue(built); err != nil {
		return err
	}
	if err := t.flush(); err != nil {
		return err
	}
	if len(t.hooks) == 0 {
		return nil
	}
	h := &hosted{tx: tx, last: t.bucket(log).Sequence(), hooks: t.hooks}
	s.mu.Lock()
	s.hosted = append(s.hosted, h)
	s.unlock()
	tx.OnCommit(func() { s.hostCommitted(h) })
	return nil
}

// hosted is what memory has to learn when a transaction of the host commits. It must not learn it too late: the
// watermark may rise only above events whose deliveries it knows. But what the host's commit calls, it calls when the
// next transaction may have begun already; and of a rollback nobody is told. So the next transaction sees to it itself:
// the former one has committed if its last event is there.
type hosted struct {
	tx    *bolt.Tx
	last  uint64 // the last sequence number that it has taken
	hooks []func()
	done  bool
}

// run brings memory up to the transaction, once.
func (h *hosted) run() {
	if !h.done {
		h.done = true
		for _, f := range h.hooks {
			f()
		}
	}
}

// hostCommitted is called by the host's commit. When memory has got too much, it makes room at once.
func (s *Store) hostCommitted(h *hosted) {
	s.mu.Lock()
	h.run()
	full := s.above > s.budget
	s.unlock()
	if full {
		_ = s.submit(context.Background(), &op{run: func(t *txn) error {
			t.wrote = true // whatever rides on a commit
			return nil
		}})
	}
}

// adopt settles what former transactions of the host have left, at the beginning of one that writes.
func (s *Store) adopt(t *txn) {
	s.mu.Lock()
	defer s.unlock()
	if len(s.hosted) == 0 {
		return
	}
	seq := t.bucket(log).Sequence()
	open := s.hosted[:0]
	for _, h := range s.hosted {
		switch {
		case h.tx == t.tx:
			open = append(open, h)
		case h.last <= seq:
			h.run()
		}
	}
	clear(s.hosted[len(open):])
	s.hosted = open
}
