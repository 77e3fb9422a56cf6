package boltfile_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
)

func hostDB(t *testing.T) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "host.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestShare(t *testing.T) {
	db := hostDB(t)
	share := func(db *bolt.DB, name string, want error) *boltfile.File {
		t.Helper()
		f, err := boltfile.Share(db, name)
		if !errors.Is(err, want) {
			t.Fatalf("name %q: got error %v, want %v", name, err, want)
		}
		return f
	}
	first := share(db, "a", nil)
	share(db, "a", boltfile.ErrLocked)
	share(db, "b", nil)
	share(hostDB(t), "a", nil)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := share(db, "a", nil)
	share(db, "a", boltfile.ErrLocked)
	if err := second.Update(fill); err != nil {
		t.Errorf("after Close, the host's database is closed: %v", err)
	}
}

func TestShareAtOnce(t *testing.T) {
	db := hostDB(t)
	shared := make(chan *boltfile.File, 8)
	var wg sync.WaitGroup
	for range cap(shared) {
		wg.Go(func() {
			if f, err := boltfile.Share(db, "a"); err == nil {
				shared <- f
			} else if !errors.Is(err, boltfile.ErrLocked) {
				t.Errorf("got error %v, want ErrLocked", err)
			}
		})
	}
	wg.Wait()
	if got := len(shared); got != 1 {
		t.Errorf("%d have the name, want 1", got)
	}
}
