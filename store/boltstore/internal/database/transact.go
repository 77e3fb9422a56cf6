package database

import (
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/txn"

	bolt "go.etcd.io/bbolt"
)

// transact runs do in a transaction that writes, and commits it if do has written something. It
// blocks for as long as the host has one of its own.
//
// apply is to be called under the mutex of state: it brings memory up to the transaction. There is
// one with an error too if what was written is there all the same; otherwise it is nil.
func (c *commits) transact(do func(*txn.Tx) error) (apply func(), err error) {
	var e *unapplied
	defer c.db.Turns.written()
	err = Guard(func() error {
		tx, err := c.db.file.BeginWrite()
		if err != nil {
			return err
		}
		// Also after the commit, which may fail or panic with the write lock held.
		defer boltfile.Rollback(tx)
		t, err := c.db.wrap(tx)
		if err != nil {
			return err
		}
		// Before do: what rides along is planned with memory, which must have all former
		// transactions by then.
		c.state.adopt(tx)
		if err := do(t); err != nil {
			return err
		}
		// After do, when it is known whether the transaction commits anyway.
		r, due, err := c.planRiders(t)
		if err != nil || !due {
			return err
		}
		if err := t.Complete(r); err != nil {
			return err
		}
		// Before the commit: once the write lock is free, a host may begin and commit the next one,
		// which must find these effects in the list.
		e = c.state.expect(tx, t.Effects())
		if c.Intercept != nil {
			return c.Intercept(func() error { return c.db.file.Commit(tx) })
		}
		return c.db.file.Commit(tx)
	})
	if err != nil {
		// After any error: what the transaction has put into the cache of recipients may not be in
		// the file.
		c.db.writer.MarkStale()
		// Without e the commit was not tried.
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
// Guarded by itself, so that a panic on a damaged page ends one operation and not those that share
// the transaction.
func (c *commits) runOp(t *txn.Tx, run func(*txn.Tx) error) (intact bool, err error) {
	return t.Try(func() error { return Guard(func() error { return run(t) }) })
}

// planRiders says what is to ride on a transaction, and whether it must commit: because of what its
// operations did, or of a rider that is due by itself. The mutex is taken once, for both plans of
// memory.
func (c *commits) planRiders(t *txn.Tx) (r txn.Riders, due bool, err error) {
	// Before the mutex, as it reads the file.
	if r.Counts, err = c.counts.plan(t); err != nil {
		return r, false, err
	}
	c.state.Lock()
	defer c.state.Unlock()
	r.Spill = c.state.Memory.PlanSpill()
	if !t.NeedsCommit() && r.Spill == nil && r.Counts == nil {
		return r, false, nil
	}
	// Last: what it plans is forgotten if the transaction does not commit.
	r.Trim = c.state.Memory.PlanTrim()
	return r, true, nil
}

// committedAnyway reports whether a transaction whose commit failed can be seen nevertheless, as
// happens when only its last sync failed. Then memory must follow it, though nobody can be told
// that it is on disk.
func (c *commits) committedAnyway(id int) (committed bool) {
	// If the file can't be read, it counts as not committed.
	_ = c.db.file.View(func(tx *bolt.Tx) error {
		// A transaction that reads has the number of the last one that committed.
		committed = tx.ID() >= id
		return nil
	})
	return committed
}
