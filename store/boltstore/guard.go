package boltstore

import (
	"errors"
	"fmt"
	"runtime/debug"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/outhook/outhook/store"
)

// guarded runs f so that the host survives a damaged file: bbolt maps it into memory, so a part that is missing is a
// fault, which is fatal unless it is asked to be a panic; and bbolt panics itself when it sees nonsense. Both become
// ErrCorrupt.
func guarded(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", store.ErrCorrupt, p)
		}
	}()
	return known(f())
}

// known translates the errors of bbolt that have a name in package store.
func known(err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen):
		return store.ErrClosed
	case errors.Is(err, bolterrors.ErrTimeout):
		return store.ErrLocked
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum),
		errors.Is(err, bolterrors.ErrVersionMismatch), errors.Is(err, bolterrors.ErrInvalidMapping):
		return fmt.Errorf("%w: %w", store.ErrCorrupt, err)
	}
	return err
}

// update runs f in a transaction that writes. Unlike bbolt's Update, it leaves no lock behind when the commit panics.
func update(db *bolt.DB, f func(*bolt.Tx) error) error {
	return guarded(func() error {
		tx, err := db.Begin(true)
		if err != nil {
			return err
		}
		defer rollback(tx)
		if err := f(tx); err != nil {
			return err
		}
		return tx.Commit()
	})
}

// rollback ends a transaction that may have ended already.
func rollback(tx *bolt.Tx) { _ = tx.Rollback() }
