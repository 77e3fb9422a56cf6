package boltstore

import (
	"github.com/outhook/outhook/store/boltstore/internal/txn"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	bolt "go.etcd.io/bbolt"
)

// transact runs do in a transaction that writes, and commits it if do has written something. It
// blocks for as long as the host has one of its own.
//
// apply is to be called under the mutex of state: it brings memory up to the transaction. There is
// one with an error too if what was written is there all the same; otherwise it is nil.
func (c *commits) transact(do func(*txn.Tx) error) (apply func(), err error) {
	var e *unapplied
	err = guarded(func() error {
		tx, err := c.db.file.BeginWrite()
		if err != nil {
			return err
		}
		defer boltfile.Rollback(tx)
		t, err := c.db.wrap(tx)
		if err != nil {
			return err
		}
		c.state.adopt(tx)
		if err := do(t); err != nil {
			return err
		}
		r, due, err := c.planRiders(t)
		if err != nil || !due {
			return err
		}
		if err := t.Complete(r); err != nil {
			return err
		}
		e = c.state.expect(tx, t.Effects())
		return c.commit(tx)
	})
	if err != nil {
		c.db.writer.MarkStale()
		if e == nil || !c.committedAnyway(e.id) {
			c.state.forget(e)
			return nil, err
		}
	}
	return func() {
		if e != nil {
			c.state.committed(e)
		}
	}, err
}

// runOp runs one operation. The transaction is intact unless it failed after it had written.
func (c *commits) runOp(t *txn.Tx, run func(*txn.Tx) error) (intact bool, err error) {
	return t.Try(func() error { return guarded(func() error { return run(t) }) })
}

// planRiders says what is to ride on a transaction, and whether it must commit: because of what its
// operations did, or of a rider that is due by itself.
func (c *commits) planRiders(t *txn.Tx) (r txn.Riders, due bool, err error) {
	if r.Counts, err = c.counts.plan(t); err != nil {
		return r, false, err
	}
	c.state.Lock()
	defer c.state.Unlock()
	r.Spill = c.state.memory.PlanSpill()
	if !t.NeedsCommit() && r.Spill == nil && r.Counts == nil {
		return r, false, nil
	}
	// Last: what it plans is forgotten if the transaction does not commit.
	r.Trim = c.state.memory.PlanTrim()
	return r, true, nil
}

// committedAnyway reports whether a transaction whose commit failed can be seen nevertheless, as
// happens when only its last sync failed. Then memory must follow it, though nobody can be told
// that it is on disk.
func (c *commits) committedAnyway(id int) (committed bool) {
	_ = c.db.file.View(func(tx *bolt.Tx) error {
		committed = tx.ID() >= id
		return nil
	})
	return committed
}
