package boltstore

import (
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
)

// guarded runs f so that the host survives a damaged file, which becomes ErrCorrupt.
func guarded(f func() error) error { return storeError(boltfile.Guard(f)) }

// storeError translates the errors of package boltfile into those of package store.
func storeError(err error) error {
	if err == nil {
		return nil
	}
	switch corrupt := (*boltfile.CorruptError)(nil); {
	case errors.Is(err, store.ErrCorrupt): // a record that is damaged, or translated already
		return err
	case errors.As(err, &corrupt):
		return fmt.Errorf("%w: %w", store.ErrCorrupt, err)
	case errors.Is(err, boltfile.ErrClosed):
		return store.ErrClosed
	case errors.Is(err, boltfile.ErrLocked):
		return store.ErrLocked
	}
	return err
}

// read runs f in a transaction that only reads. It must be short, because bbolt reuses no page that
// was freed since it began, and f must not take Store.mu, because a commit may be waiting for f to
// end.
func (s *Store) read(f func(*txn) error) error {
	return storeError(s.file.View(func(tx *bolt.Tx) error {
		t, err := s.begin(tx)
		if err != nil {
			return err
		}
		return f(t)
	}))
}
