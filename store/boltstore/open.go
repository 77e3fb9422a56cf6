package boltstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
)

// lockWait is how long Open waits for a file that is in use. bbolt tries every 50 ms.
const lockWait = 500 * time.Millisecond

// fileMode is for the owner alone: the file has the secrets that sign deliveries.
const fileMode = 0o600

// Open opens the store in the file at path, and makes the file when there is none: it is then either not there or whole,
// whatever happens meanwhile. The folder must exist. Only one store, of one process, can have a file open.
//
// ErrLocked when the file is in use, after half a second. ErrCorrupt when it is empty, torn, not a store or damaged;
// then it is left as it is. Opening reads the file's structure once, which takes some tenths of a second for a million
// pending deliveries, but none of the backlog.
func Open(path string, o *Options) (*Store, error) {
	s, err := open(path, o.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("boltstore: open: %w", err)
	}
	return s, nil
}

func open(path string, o Options) (*Store, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(path, o.Name); err != nil {
			return nil, err
		}
	}
	if err := syncDir(filepath.Dir(path)); err != nil { // whoever made the file may have been killed before this
		return nil, err
	}
	if err := inspect(path); err != nil {
		return nil, err
	}
	db, err := openDB(path, false)
	if err != nil {
		return nil, err
	}
	if !hasStore(db, o.Name) {
		return nil, errors.Join(fmt.Errorf("%w: the file has no store %q", store.ErrCorrupt, o.Name), db.Close())
	}
	o.owned = true
	s, err := newStore(db, o)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// openDB opens the file with bbolt.
func openDB(path string, readOnly bool) (db *bolt.DB, err error) {
	err = guarded(func() (err error) {
		db, err = bolt.Open(path, fileMode, &bolt.Options{
			Timeout:        lockWait,
			ReadOnly:       readOnly,
			NoFreelistSync: true, // or else each commit writes it, which takes long after a large backlog has drained
			FreelistType:   bolt.FreelistMapType,
		})
		return err
	})
	return db, err
}

// hasStore reports whether the file has a bucket of a store.
func hasStore(db *bolt.DB, name string) (has bool) {
	_ = guarded(func() error {
		return db.View(func(tx *bolt.Tx) error {
			has = tx.Bucket(bucketsOf(name)[meta]) != nil
			return nil
		})
	})
	return has
}

// inspect checks the structure of the file before bbolt is let at it: bbolt would fill an empty file, and crash the
// process on a damaged one, from a goroutine where no recover can help. A shared lock keeps others from writing.
func inspect(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is not a regular file")
	case info.Size() == 0:
		return fmt.Errorf("%w: the file is empty", store.ErrCorrupt)
	}
	if err := checkFile(path, false); err != nil {
		return err
	}
	db, err := openDB(path, true)
	if err != nil {
		return err
	}
	return errors.Join(checkFile(path, true), guarded(db.Close))
}

// create makes the file of an empty store: under another name, and when it is whole and on disk, under its own, unless
// somebody else has made one there by then.
func create(path, name string) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".new-*") // its mode is 0600
	if err != nil {
		return err
	}
	temp := f.Name()
	defer func() { err = errors.Join(err, removeIfThere(temp)) }()
	if err := f.Close(); err != nil {
		return err
	}
	db, err := openDB(temp, false)
	if err != nil {
		return err
	}
	err = update(db, func(tx *bolt.Tx) error { return initialize(tx, name) }) // syncs it
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	return publish(temp, path)
}

// publish gives a file its name, unless it is taken.
func publish(temp, path string) error {
	err := os.Link(temp, path)
	switch {
	case err == nil, errors.Is(err, fs.ErrExist):
		return nil
	}
	// Not every file system has links. Then the name is taken first.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncDir puts the names in a folder on disk. Some systems can't, and don't need it; a disk that fails is another matter.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err = d.Sync(); !errors.Is(err, syscall.EIO) && !errors.Is(err, syscall.ENOSPC) {
		err = nil
	}
	return errors.Join(err, d.Close())
}
