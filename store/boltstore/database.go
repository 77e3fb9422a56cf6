package boltstore

import (
	"context"
	"sync/atomic"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/txn"

	bolt "go.etcd.io/bbolt"
)

// database is the open file, with what each transaction of it needs. Its methods are safe for
// concurrent use, and take no lock of the store's.
type database struct {
	file      *boltfile.File // guards and syncs; shared with the host if not exclusive
	exclusive bool           // the file is the store's alone
	closed    atomic.Bool
	beginning chan struct{} // has one slot, for the read that is beginning, see beginRead

	turns turns // of long reads

	clock                 // the store's own
	settings txn.Settings // not changed once the store is open
	writer   txn.Writer   // belongs to the holder of the file's write lock
}

// check returns an error if a call may not start: ctx has ended, or the store is closed. The
// context comes first: a caller that has given up gets its own error.
func (d *database) check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.closed.Load() {
		return store.ErrClosed
	}
	return nil
}

// wrap makes a transaction of the store of one of bbolt. The transaction stays the caller's to end.
func (d *database) wrap(tx *bolt.Tx) (*txn.Tx, error) {
	return txn.Begin(&d.settings, &d.writer, tx)
}
