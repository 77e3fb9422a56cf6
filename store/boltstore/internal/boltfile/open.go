package boltfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

// lockWait is how long Open waits for a file that is in use. bbolt tries every 50 ms.
const lockWait = 500 * time.Millisecond

// fileMode is for the owner alone: the content may be secret.
const fileMode = 0o600

// Open opens the file at path, and makes it if it is not there, with what initialize writes. The
// folder must exist. Only one File, of one process, can have a file open.
//
// It returns ErrLocked if the file is in use, after half a second, and a *CorruptError if it is
// empty, torn, damaged or no bbolt file; then the file is left as it is. It reads all pages that
// are in use, once.
func Open(path string, initialize func(*bolt.Tx) error) (*File, error) {
	f, err := open(path, initialize)
	if err != nil {
		return nil, explain(path, err)
	}
	return f, nil
}

func open(path string, initialize func(*bolt.Tx) error) (*File, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(path, initialize); err != nil {
			return nil, err
		}
	}
	// Also for a file that was there: the process that made it may have been killed before this,
	// and what is acknowledged from now on must not vanish with the file's name.
	if err := syncDir(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if err := verify(path); err != nil {
		return nil, err
	}
	db, err := openDB(path, false)
	if err != nil {
		return nil, err
	}
	f := newFile(db)
	f.onClose = f.closeDB
	return f, nil
}

// openDB opens the file with bbolt, which locks it: exclusively, or shared if it is only to be
// read.
func openDB(path string, readOnly bool) (db *bolt.DB, err error) {
	err = Guard(func() (err error) {
		db, err = bolt.Open(path, fileMode, &bolt.Options{
			Timeout:  lockWait,
			ReadOnly: readOnly,
			// Else each commit writes the list of free pages, which is long after a large part of
			// the content has been deleted.
			NoFreelistSync: true,
			FreelistType:   bolt.FreelistMapType,
		})
		return err
	})
	return db, err
}

// verify checks the structure of the file before bbolt writes to it or reads its tree: bbolt would
// fill an empty file, and crash the process on a damaged one, from a goroutine where no recover can
// help.
func verify(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("it is a folder; give the path of a file in it")
	case !info.Mode().IsRegular():
		return errors.New("it is not a regular file; give the path of one, or of none yet")
	case info.Size() == 0:
		return corruptf("the file is empty")
	}
	// The head before the lock, because to lock the file is to open it with bbolt, which follows
	// the meta pages. The tree after, because another process must not write meanwhile. A reader's
	// bbolt follows no page until it is asked to.
	if err := verifyHead(path); err != nil {
		return err
	}
	db, err := openDB(path, true)
	if err != nil {
		return err
	}
	return errors.Join(verifyTree(path), Guard(db.Close))
}
