package database

import (
	"context"
	"errors"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/txn"

	bolt "go.etcd.io/bbolt"
)

// InHostTx runs an operation in a transaction of the host, and has memory learn of it when the host
// commits. Nothing rides on the host's transaction; see hostCommitted. It may be called many times
// in one transaction. After an error the host must roll back, unless do returned it and has written
// nothing.
func (d *DB) InHostTx(tx *bolt.Tx, do func(*txn.Tx) error) error {
	if err := d.checkHostTx(tx); err != nil {
		return err
	}
	return Guard(func() error {
		t, err := d.wrap(tx)
		if err != nil {
			return err
		}
		// The host may have committed others since the store wrote last, and before this one adds
		// its own, memory must have those.
		d.adopt(tx)
		if err := do(t); err != nil {
			return err
		}
		// Not Complete: it would write what rides along.
		if err := t.Flush(); err != nil {
			return err
		}
		if len(t.Effects()) == 0 {
			return nil
		}
		// Noted before the commit, which bbolt tells of only afterwards, when another may have
		// begun.
		e := d.expect(tx, t.Effects())
		tx.OnCommit(func() { d.hostCommitted(e) })
		return nil
	})
}

// checkHostTx returns an error if a transaction is not one that the store can write in.
func (d *DB) checkHostTx(tx *bolt.Tx) error {
	switch {
	// The host's transaction may go on without the store.
	case d.closed.Load():
		return store.ErrClosed
	// bbolt takes the database away from a transaction that has ended.
	case tx == nil || tx.DB() == nil:
		return errors.New("the transaction has ended")
	case tx.DB() != d.Bolt():
		return errors.New("the transaction is of another database")
	case !tx.Writable():
		return errors.New("the transaction is for reading only")
	}
	return nil
}

// hostCommitted is called by the host's commit. When memory has got too much, it makes room at
// once. bbolt calls it in Commit, when the write lock is free again.
func (d *DB) hostCommitted(e *unapplied) {
	d.Lock()
	d.committed(e)
	// Otherwise the next operation of the store takes the rise along; but a host that only
	// publishes in its own transactions may have none for long.
	full := d.Memory.Above > d.Memory.Budget
	d.Unlock()
	if full {
		// The operation writes nothing; what is due rides on its commit.
		_ = d.Write(context.Background(), func(*txn.Tx) error { return nil })
	}
}
