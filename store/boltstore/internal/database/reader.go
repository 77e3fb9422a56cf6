package database

import (
	"context"
	"sync/atomic"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/txn"

	bolt "go.etcd.io/bbolt"
)

// reader is the open file, with what each transaction of it needs. Its methods are safe for
// concurrent use, and take no lock of the store's.
type reader struct {
	file      *boltfile.File // guards and syncs; shared with the host if not exclusive
	exclusive bool           // the file is the store's alone
	closed    atomic.Bool
	beginning chan struct{} // has one slot, for the read that is beginning, see beginRead

	Turns turns // of long reads

	clock                     // the store's own
	settings buckets.Settings // not changed once the store is open
	writer   buckets.Writer   // belongs to the holder of the file's write lock
}

// Check returns an error if a call may not start: ctx has ended, or the store is closed. The
// context comes first: a caller that has given up gets its own error.
func (d *reader) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.closed.Load() {
		return store.ErrClosed
	}
	return nil
}

// wrap makes a transaction of the store of one of bbolt. The transaction stays the caller's to end.
func (d *reader) wrap(tx *bolt.Tx) (*txn.Tx, error) {
	return txn.Begin(&d.settings, &d.writer, tx)
}

// Bolt returns the database of bbolt, which is the host's if the store was made by New.
func (d *reader) Bolt() *bolt.DB { return d.file.DB() }

// CheckTenant returns [store.ErrMoved] if a tenant is closed.
func (d *reader) CheckTenant(ctx context.Context, tenant string) error {
	return d.Read(ctx, func(t *txn.Tx) error { return t.CheckTenant(tenant) })
}
