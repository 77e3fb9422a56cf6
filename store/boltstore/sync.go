package boltstore

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// sync makes sure, in a transaction that writes and before it does, that what it finds is on disk. It may not be: a process
// that was killed has written its last meta page and not synced it, or a commit's last sync has failed. bbolt takes what it
// finds for granted. It would overwrite pages that are free by the new meta page while only the old one is on disk, and a
// power cut would leave neither whole; and an event that is there already would be acknowledged though a power cut can
// still undo it.
//
// Both meta pages are written again as they are, because a system that has failed to write a page need not try again at
// the next sync. All else that the newer one refers to was synced before it was written.
func (s *Store) sync() error {
	if s.synced {
		return nil
	}
	if err := s.rewriteMetas(); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	s.synced = true
	return nil
}

func (s *Store) rewriteMetas() (err error) {
	f, err := os.OpenFile(s.db.Path(), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	metas := make([]byte, 2*s.db.Info().PageSize)
	if _, err := io.ReadFull(f, metas); err != nil {
		return err
	}
	if _, err := f.WriteAt(metas, 0); err != nil {
		return err
	}
	return s.db.Sync()
}
