package database

import (
	"errors"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
)

// Guard runs f so that the host survives a damaged file, which becomes ErrCorrupt. bbolt panics
// on some kinds of damage, and reading what the file no longer has is a fault of the process.
func Guard(f func() error) error { return Error(boltfile.Guard(f)) }

// Error translates the errors of package boltfile into those of package store. Others, such as
// those of the disk, are passed on as they are.
func Error(err error) error {
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
