package boltfile_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
)

func TestOpenMakesAFileForTheOwner(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file.db")
	f := open(t, path, fill)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode(), fs.FileMode(0o600); got != want {
		t.Errorf("mode: got %v, want %v", got, want)
	}
	if n, err := countKeys(f.DB()); n != filledKeys || err != nil {
		t.Errorf("keys: got %d, %v, want %d", n, err, filledKeys)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("in the folder: got %v, %v, want the file alone", names, err)
	}
	f = open(t, path, func(*bolt.Tx) error {
		t.Error("a file that is there is initialized again")
		return nil
	})
	if n, err := countKeys(f.DB()); n != filledKeys || err != nil {
		t.Errorf("keys, opened again: got %d, %v, want %d", n, err, filledKeys)
	}
}

func TestOpenLeavesNothingOfAFailure(t *testing.T) {
	dir := t.TempDir()
	broken := errors.New("broken")
	_, err := boltfile.Open(filepath.Join(dir, "file.db"), func(tx *bolt.Tx) error {
		return errors.Join(fill(tx), broken)
	})
	if !errors.Is(err, broken) {
		t.Errorf("got error %v, want that of initialize", err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 0 {
		t.Errorf("in the folder: got %v, %v, want nothing", names, err)
	}
}

func TestOpenInNoFolder(t *testing.T) {
	_, err := boltfile.Open(filepath.Join(t.TempDir(), "none", "file.db"), empty)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got error %v, want fs.ErrNotExist", err)
	}
}

func TestOpenOfAFolder(t *testing.T) {
	_, err := boltfile.Open(t.TempDir(), empty)
	if err == nil || isCorrupt(err) {
		t.Errorf("got error %v, want one that is no CorruptError", err)
	}
}

func TestOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	var wg sync.WaitGroup
	opened := make(chan *boltfile.File, 8)
	for range cap(opened) {
		wg.Go(func() {
			f, err := boltfile.Open(path, fill)
			switch {
			case err == nil:
				opened <- f
			case !errors.Is(err, boltfile.ErrLocked):
				t.Errorf("got error %v, want ErrLocked", err)
			}
		})
	}
	wg.Wait()
	close(opened)
	if got := len(opened); got > 1 {
		t.Errorf("%d have the file open", got)
	}
	for f := range opened {
		if err := errors.Join(f.Update(empty), f.Close()); err != nil {
			t.Error(err)
		}
	}
	if n, err := countKeys(open(t, path, empty).DB()); n != filledKeys || err != nil {
		t.Errorf("keys: got %d, %v, want %d", n, err, filledKeys)
	}
}

func TestOpenLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	f := open(t, path, empty)
	synctest.Test(t, func(t *testing.T) { // bbolt sleeps between its tries
		start := time.Now()
		_, err := boltfile.Open(path, empty)
		if !errors.Is(err, boltfile.ErrLocked) {
			t.Errorf("got error %v, want ErrLocked", err)
		}
		took := time.Since(start)
		if took < boltfile.LockWait-100*time.Millisecond || took > boltfile.LockWait {
			t.Errorf("it waited %v, want about %v", took, boltfile.LockWait)
		}
	})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path, empty)
}

func TestOpenOfAnotherProgramsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	write(t, path, filledFile(t, 2*pageSize)) // its page size is its own
	if n, err := countKeys(open(t, path, empty).DB()); n != filledKeys || err != nil {
		t.Errorf("keys: got %d, %v, want %d", n, err, filledKeys)
	}
}

// TestClose checks what Close writes: nothing in a file that was only read, and otherwise the list
// of free pages.
func TestClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	const noFreelist = ^uint64(0)
	f := open(t, path, fill)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	before := read(t, path)
	if freelist(before) != noFreelist {
		t.Fatal("the file has a list of free pages, so what follows shows nothing")
	}
	f = open(t, path, empty)
	if tx, err := f.BeginWrite(); err != nil {
		t.Fatal(err)
	} else {
		boltfile.Rollback(tx)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, path), before) {
		t.Error("a file that nobody has written to has changed")
	}
	f = open(t, path, empty)
	if err := errors.Join(f.Update(empty), f.Close()); err != nil {
		t.Fatal(err)
	}
	if freelist(read(t, path)) == noFreelist {
		t.Error("there is no list of free pages after Close")
	}
	if err := f.View(empty); !errors.Is(err, boltfile.ErrClosed) {
		t.Errorf("View after Close: got error %v, want ErrClosed", err)
	}
	if err := f.Update(empty); !errors.Is(err, boltfile.ErrClosed) {
		t.Errorf("Update after Close: got error %v, want ErrClosed", err)
	}
}

// TestRenameIfFree is about file systems that have no links.
func TestRenameIfFree(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	first, second := filepath.Join(dir, "1"), filepath.Join(dir, "2")
	write(t, first, []byte("first"))
	write(t, second, []byte("second"))
	for _, temp := range []string{first, second} {
		if err := boltfile.RenameIfFree(temp, path); err != nil {
			t.Errorf("%s: %v", temp, err)
		}
	}
	if got := read(t, path); string(got) != "first" {
		t.Errorf("the file has %q, want what came first", got)
	}
}
