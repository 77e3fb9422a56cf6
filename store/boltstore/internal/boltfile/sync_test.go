package boltfile_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
)

// limited is a File in a database that can't grow, so that a commit of much fails. Its path can be
// taken away: that makes it fail to write the meta pages again, and nothing else.
type limited struct {
	*testing.T
	*boltfile.File
	path string
}

func newLimited(t *testing.T) *limited {
	t.Helper()
	path := filepath.Join(t.TempDir(), "host.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoFreelistSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Update(fill); err != nil {
		t.Fatal(err)
	}
	db.MaxSize = len(read(t, path))
	f, err := boltfile.Share(db, "name")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return &limited{t, f, path}
}

// tooMuch writes more than there is room for.
func tooMuch(tx *bolt.Tx) error {
	return tx.Bucket([]byte("large")).Put([]byte("much"), make([]byte, 64<<20))
}

// synced reports whether a transaction that writes takes what it finds to be on disk.
func (l *limited) synced() bool {
	l.Helper()
	if err := os.Rename(l.path, l.path+".away"); err != nil {
		l.Fatal(err)
	}
	tx, err := l.BeginWrite()
	switch {
	case err == nil:
		boltfile.Rollback(tx)
	case !errors.Is(err, fs.ErrNotExist):
		l.Fatalf("BeginWrite: %v", err)
	}
	if err := os.Rename(l.path+".away", l.path); err != nil {
		l.Fatal(err)
	}
	return err == nil
}

func (l *limited) want(when string, synced bool) {
	l.Helper()
	if got := l.synced(); got != synced {
		l.Errorf("%s: taken to be on disk: %t, want %t", when, got, synced)
	}
}

func (l *limited) fails() {
	l.Helper()
	if err := l.Update(tooMuch); !errors.Is(err, bolterrors.ErrMaxSizeReached) {
		l.Fatalf("a commit of too much: got error %v, want %v", err, bolterrors.ErrMaxSizeReached)
	}
}

// TestSync checks when the meta pages are written again: once after an open, and after each commit
// that fails.
func TestSync(t *testing.T) {
	l := newLimited(t)
	l.want("at first", false)
	l.want("after a sync that failed", false) // waits for ever if that left the lock
	before := read(t, l.path)
	undo := errors.New("undo")
	if err := l.Update(func(*bolt.Tx) error { return undo }); err != undo {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, l.path), before) {
		t.Error("the file has changed")
	}
	l.want("once synced", true)
	if err := l.Update(empty); err != nil {
		t.Fatal(err)
	}
	l.want("after a commit", true)
	l.fails()
	l.want("after a commit that failed", false)
	if err := l.Update(empty); err != nil {
		t.Fatal(err)
	}
	l.want("after one that followed", true)
}

// TestSyncOfAnEarlierCommit has a commit fail before the one before it has noted its success: bbolt
// gives up its write lock, and calls OnCommit, inside Commit.
func TestSyncOfAnEarlierCommit(t *testing.T) {
	l := newLimited(t)
	err := l.Update(func(tx *bolt.Tx) error {
		tx.OnCommit(l.fails)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	l.want("after the second has failed", false)
}
