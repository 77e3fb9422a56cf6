package boltfile

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// sync makes sure that all that a transaction that writes has found is on disk. It is called in it,
// before it writes.
//
// It may not be on disk: a process that was killed has written its last meta page and not synced
// it, or a commit's last sync has failed. bbolt takes what it finds for granted. It would overwrite
// pages that are free by the new meta page while only the old one is on disk, and a power cut would
// leave neither tree intact. And what is there already would be acknowledged again, though a power
// cut can still undo it.
//
// Both meta pages are written again as they are, because a system that has failed to write a page
// need not try again at the next sync. All else that the newer one refers to was synced before it
// was written.
func (f *File) sync() error {
	if f.unsynced.Load() == 0 {
		return nil
	}
	if err := f.rewriteMetas(); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	f.unsynced.Store(0)
	return nil
}

// rewriteMetas writes both meta pages as they are, and syncs the file.
func (f *File) rewriteMetas() (err error) {
	// A descriptor of its own: bbolt has one, but does not give it away.
	file, err := os.OpenFile(f.db.Path(), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	metas := make([]byte, 2*f.db.Info().PageSize)
	if _, err := io.ReadFull(file, metas); err != nil {
		return err
	}
	if _, err := file.WriteAt(metas, 0); err != nil {
		return err
	}
	return f.db.Sync() // also if the database has NoSync
}
