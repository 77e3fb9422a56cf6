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
	var e *effects
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
		if err := do(t); err != nil || !t.wrote {
			return err
		}
		if err := t.finish(); err != nil {
			return err
		}
		e = s.expect(tx, t.hooks)
		return s.commitTx(tx)
	})
	if err != nil {
		s.staleAudiences.Store(true)
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
	before, wrote := len(t.hooks), t.wrote
	t.wrote = false
	err = guarded(func() error { return run(t) })
	intact = err == nil || !t.wrote
	t.wrote = t.wrote || wrote
	if err != nil {
		t.hooks = t.hooks[:before]
	}
	return intact, err
}

// finish completes a transaction with what rides on it.
func (t *txn) finish() error {
	if err := t.trim(); err != nil {
		return err
	}
	if err := t.spill(); err != nil {
		return err
	}
	if err := t.writeCounts(); err != nil {
		return err
	}
	if err := t.keepClock(); err != nil {
		return err
	}
	return t.flush()
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
