package boltstore

import (
	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
)

// transact runs do in a transaction that writes, and commits it if do has written something. It
// blocks for as long as the host has one of its own.
//
// apply is to be called under Store.mu: it brings memory up to the transaction. There is one
// with an error too if what was written is there all the same; otherwise it is nil.
func (s *Store) transact(do func(*txn) error) (apply func(), err error) {
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
		r, due := s.planRiders(t)
		if !due {
			return nil
		}
		if err := t.finish(r); err != nil {
			return err
		}
		e = s.expect(tx, t.effects.list)
		return s.commitTx(tx)
	})
	if err != nil {
		s.writer.markStale()
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
func (s *Store) runOp(t *txn, run func(*txn) error) (intact bool, err error) {
	before, changes := len(t.effects.list), t.changes
	err = guarded(func() error { return run(t) })
	if err != nil {
		t.effects.list = t.effects.list[:before]
	}
	return err == nil || t.changes == changes, err
}

// planRiders says what is to ride on a transaction, and whether it must commit: because of what its
// operations did, or of a rider that is due by itself.
func (s *Store) planRiders(t *txn) (r riders, due bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.spill, r.counts = s.planSpill(), s.planTally(t)
	if !t.hasSomething() && r.spill == nil && r.counts == nil {
		return r, false
	}
	r.trim = s.planTrim() // last: what it plans is forgotten if the transaction does not commit
	return r, true
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
