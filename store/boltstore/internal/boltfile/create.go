package boltfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	bolt "go.etcd.io/bbolt"
)

// create makes a file with what initialize writes: under another name, and when it is complete and
// on disk, under its own, unless another process has made one there by then.
func create(path string, initialize func(*bolt.Tx) error) (err error) {
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
	err = newFile(db).Update(initialize) // the commit syncs it
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	return publish(temp, path)
}

// publish gives a file its name, unless that is taken.
func publish(temp, path string) error {
	err := os.Link(temp, path) // fails if the name is taken, which a rename would not
	switch {
	case err == nil, errors.Is(err, fs.ErrExist):
		return nil
	}
	return renameIfFree(temp, path)
}

// renameIfFree is publish for file systems that have no links. It takes the name first, with an
// empty file. A process that is killed before the rename leaves that; Open refuses it, and it can
// be deleted.
func renameIfFree(temp, path string) error {
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

// syncDir puts the names in a folder on disk. Some systems can't, and don't need it, so only the
// errors of a disk that fails or is full count.
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
