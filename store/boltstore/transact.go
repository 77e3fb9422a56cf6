package boltstore

import (
	"slices"

	bolt "go.etcd.io/bbolt"
)

// commit runs the operations in one transaction and tells each how it ended.
func (s *Store) commit(batch []*op) {
	live := slices.Clone(batch)
	var done *effects
	for {
		e, spoiler, err := s.transact(live)
		if spoiler == nil {
			done = e
			for _, o := range live {
				if o.err == nil {
					o.err = err
				}
			}
			break
		}
		spoiler.err = err
		live = slices.DeleteFunc(live, func(o *op) bool { return o == spoiler })
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if done != nil {
		s.committed(done)
	}
	for _, o := range batch {
		if o.settle != nil {
			o.settle(o.err)
		}
	}
}

// transact runs the operations in one transaction. An error is everybody's, unless there is a spoiler: an operation that
// failed after it had written, or panicked, so that the others must be run again without it. The effects are to
// be applied also with an error, when what was written is there all the same.
func (s *Store) transact(batch []*op) (e *effects, spoiler *op, err error) {
	var tx *bolt.Tx
	err = guarded(func() error {
		var err error
		if tx, err = s.db.Begin(true); err != nil {
			return err
		}
		defer rollback(tx)
		if err := s.sync(); err != nil {
			return err
		}
		t, err := s.begin(tx)
		if err != nil {
			return err
		}
		s.adopt(tx)
		wrote := false
		for _, o := range batch {
			if t.wrote = false; !s.runOp(t, o) {
				spoiler = o
				return o.err
			}
			wrote = wrote || t.wrote
		}
		if t.wrote = false; wrote {
			if err := t.finish(); err != nil {
				return err
			}
			e = s.expect(tx, t.hooks)
			s.synced = false
			if err := s.commitTx(tx); err != nil {
				return err
			}
			s.synced = true
		}
		return nil
	})
	if err != nil {
		s.staleAudiences.Store(true)
		if e != nil && !s.landed(e.id) {
			s.forget(e)
			e = nil
		}
	}
	return e, spoiler, err
}

// runOp runs one operation. It is false when it has spoilt the transaction.
func (s *Store) runOp(t *txn, o *op) bool {
	before := len(t.hooks)
	o.err = guarded(func() error { return o.run(t) })
	if o.err == nil {
		return true
	}
	t.hooks = t.hooks[:before]
	return !t.wrote
}

// finish completes a transaction with what rides on it.
func (t *txn) finish() error {
	if err := t.trim(); err != nil {
		return err
	}
	if err := t.spill(); err != nil {
		return err
	}
	if err := t.tally(); err != nil {
		return err
	}
	if err := t.keepClock(); err != nil {
		return err
	}
	return t.flush()
}

// landed reports whether a transaction whose commit failed can be seen nevertheless, as happens when only its last sync
// failed. Then memory must follow it, though nobody can be told that it is on disk.
func (s *Store) landed(id int) bool {
	landed := false
	_ = guarded(func() error {
		tx, err := s.db.Begin(false)
		if err != nil {
			return err
		}
		defer rollback(tx)
		landed = tx.ID() >= id
		return nil
	})
	return landed
}
