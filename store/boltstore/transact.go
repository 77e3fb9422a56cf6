package boltstore

import (
	"github.com/outhook/outhook/store/boltstore/internal/txn"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	bolt "go.etcd.io/bbolt"
)

// transact runs do in a transaction that writes, and commits it if do has written something. It
// blocks for as long as the host has one of its own.
//
// apply is to be called under Store.mu: it brings memory up to the transaction. There is one
// with an error too if what was written is there all the same; otherwise it is nil.
func (s *Store) transact(do func(*txn.Tx) error) (apply func(), err error) {
	var e *unapplied
	err = guarded(func() error {
		tx, err := s.file.BeginWrite()
		if err != nil {
			return err
		}
		defer boltfile.Rollback(tx)
		t, err := s.begin(tx)
		if err != nil {
			return err
		}
		s.adopt(tx)
		if err := do(t); err != nil {
			return err
		}
		r, due, err := s.planRiders(t)
		if err != nil || !due {
			return err
		}
		if err := t.Complete(r); err != nil {
			return err
		}
		e = s.expect(tx, t.Effects())
		return s.commitTx(tx)
	})
	if err != nil {
		s.writer.MarkStale()
		if e == nil || !s.committedAnyway(e.id) {
			s.forget(e)
			return nil, err
		}
	}
	return func() {
		if e != nil {
			s.committed(e)
		}
	}, err
}

// runOp runs one operation. The transaction is intact unless it failed after it had written.
func (s *Store) runOp(t *txn.Tx, run func(*txn.Tx) error) (intact bool, err error) {
	return t.Try(func() error { return guarded(func() error { return run(t) }) })
}

// planRiders says what is to ride on a transaction, and whether it must commit: because of what its
// operations did, or of a rider that is due by itself.
func (s *Store) planRiders(t *txn.Tx) (r txn.Riders, due bool, err error) {
	if r.Counts, err = s.planCounts(t); err != nil {
		return r, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Spill = s.memory.PlanSpill()
	if !t.NeedsCommit() && r.Spill == nil && r.Counts == nil {
		return r, false, nil
	}
	// Last: what it plans is forgotten if the transaction does not commit.
	r.Trim = s.memory.PlanTrim()
	return r, true, nil
}

// committedAnyway reports whether a transaction whose commit failed can be seen nevertheless, as
// happens when only its last sync failed. Then memory must follow it, though nobody can be told
// that it is on disk.
func (s *Store) committedAnyway(id int) (committed bool) {
	_ = s.file.View(func(tx *bolt.Tx) error {
		committed = tx.ID() >= id
		return nil
	})
	return committed
}

// begin wraps a bbolt transaction.
func (s *Store) begin(tx *bolt.Tx) (*txn.Tx, error) { return txn.Begin(&s.settings, &s.writer, tx) }
