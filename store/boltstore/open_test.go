package boltstore_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

func TestOpenMakesAFileForTheOwner(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "hooks.db")
	s := open(t, path, nil)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := info.Mode(), fs.FileMode(0o600); got != want {
		t.Errorf("mode: got %v, want %v", got, want)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(names) != 1 {
		t.Errorf("files left beside it: %v", names)
	}
}

func TestOpenInNoFolder(t *testing.T) {
	_, err := boltstore.Open(filepath.Join(t.TempDir(), "none", "hooks.db"), nil)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got error %v, want fs.ErrNotExist", err)
	}
}

func TestOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hooks.db")
	var wg sync.WaitGroup
	opened := make(chan *boltstore.Store, 8)
	for range cap(opened) {
		wg.Go(func() {
			s, err := boltstore.Open(path, nil)
			switch {
			case err == nil:
				opened <- s
			case !errors.Is(err, store.ErrLocked):
				t.Errorf("got error %v, want store.ErrLocked", err)
			}
		})
	}
	wg.Wait()
	close(opened)
	if got := len(opened); got > 1 {
		t.Errorf("%d have the file open", got)
	}
	for s := range opened {
		subscribe(t, s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hooks.db")
	open(t, path, nil)
	start := time.Now()
	_, err := boltstore.Open(path, nil)
	if !errors.Is(err, store.ErrLocked) {
		t.Errorf("got error %v, want store.ErrLocked", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestOpenUnknownFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hooks.db")
	s := open(t, path, nil)
	if err := s.SetFormat(7); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	_, err := boltstore.Open(path, nil)
	if err == nil || errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "format 7") {
		t.Errorf("got error %v, want one that names the format", err)
	}
}

func TestOpenOfAnotherProgramsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.db")
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := boltstore.Open(path, nil); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("got error %v, want store.ErrCorrupt", err)
	}
}

// damages are ways to damage a file. They get its bytes and return what is left.
var damages = []struct {
	name string
	do   func(b []byte) []byte
}{
	{"empty", func([]byte) []byte { return nil }},
	{"a hundred bytes", func(b []byte) []byte { return b[:100] }},
	{"a page and a half", func(b []byte) []byte { return b[:6000] }},
	{"an eighth", func(b []byte) []byte { return b[:len(b)/8] }},
	{"all but the last page", func(b []byte) []byte { return b[:lastPage(b)*pageSize] }},
	{"random bytes", func(b []byte) []byte { return noise(len(b)) }},
	{"text", func([]byte) []byte { return bytes.Repeat([]byte("hello\n"), 5000) }},
	{"both meta pages", func(b []byte) []byte { copy(b, noise(2*pageSize)); return b }},
	{"both meta pages, one bit each", func(b []byte) []byte {
		b[60] ^= 1
		b[pageSize+60] ^= 1
		return b
	}},
	{"all pages but the meta pages", func(b []byte) []byte {
		copy(b[2*pageSize:], noise(len(b)-2*pageSize))
		return b
	}},
	{"all pages but the meta pages zero", func(b []byte) []byte { clear(b[2*pageSize:]); return b }},
	{"the root page", func(b []byte) []byte { copy(b[rootPage(b)*pageSize:][:pageSize], noise(pageSize)); return b }},
	{"the number of the root page", func(b []byte) []byte { b[rootPage(b)*pageSize] ^= 1; return b }},
	{"the type of the root page", func(b []byte) []byte { b[rootPage(b)*pageSize+8] ^= 3; return b }},
	{"the count of the root page", func(b []byte) []byte { b[rootPage(b)*pageSize+11] = 0xff; return b }},
	{"the overflow of the root page", func(b []byte) []byte { b[rootPage(b)*pageSize+15] = 0xff; return b }},
	{"an element of the root page", func(b []byte) []byte { b[rootPage(b)*pageSize+16+7] = 0xff; return b }},
}

func TestOpenDamaged(t *testing.T) {
	whole := filledFile(t)
	for _, tt := range damages {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "hooks.db")
			damaged := tt.do(bytes.Clone(whole))
			write(t, path, damaged)
			start := time.Now()
			_, err := boltstore.Open(path, nil)
			if !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("got error %v, want store.ErrCorrupt", err)
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("it took %v", took)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, damaged) {
				t.Errorf("the file was changed, or can't be read: %v", err)
			}
		})
	}
}

// TestOpenFlipped flips bits all over the file. Whatever is hit, nothing crashes, and nothing wrong is claimed.
func TestOpenFlipped(t *testing.T) {
	whole := filledFile(t)
	r := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for range 80 {
		path := filepath.Join(t.TempDir(), "hooks.db")
		b := bytes.Clone(whole)
		b[r.IntN((lastPage(b)+1)*pageSize)] ^= 1 << r.IntN(8)
		write(t, path, b)
		s, err := boltstore.Open(path, nil)
		if err != nil {
			refused++
			if !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("got error %v, want store.ErrCorrupt", err)
			}
			continue
		}
		for _, c := range drain(t, s) {
			if want := body(c.EventID); string(c.Body) != want {
				t.Errorf("event %s: got the body %q, want %q", c.EventID, c.Body, want)
			}
		}
		_ = s.Close()
	}
	if refused == 0 || refused == 80 {
		t.Errorf("%d of 80 files were refused", refused)
	}
}

func TestOpenWithOneMetaPage(t *testing.T) {
	whole := filledFile(t)
	for page := range 2 {
		path := filepath.Join(t.TempDir(), "hooks.db")
		b := bytes.Clone(whole)
		copy(b[page*pageSize:], noise(pageSize))
		write(t, path, b)
		s, err := boltstore.Open(path, nil)
		if err != nil {
			t.Errorf("without meta page %d: %v", page, err)
			continue
		}
		if got, want := len(drain(t, s)), filled; got != want {
			t.Errorf("without meta page %d: got %d deliveries, want %d", page, got, want)
		}
		_ = s.Close()
	}
}

// TestTruncatedWhileOpen takes pages away that bbolt has mapped. Reading them is a fault, which would end the process.
func TestTruncatedWhileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hooks.db")
	write(t, path, filledFile(t))
	s := open(t, path, nil)
	if err := os.Truncate(path, int64(2*pageSize)); err != nil {
		t.Fatal(err)
	}
	_, err := s.Deliveries(t.Context(), store.DeliveryQuery{})
	if !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Deliveries: got error %v, want store.ErrCorrupt", err)
	}
	if _, err := s.Claim(t.Context(), store.ClaimRequest{Max: 1, Lease: time.Minute}); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Claim: got error %v, want store.ErrCorrupt", err)
	}
	if err := s.Enqueue(t.Context(), event("late")); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Enqueue: got error %v, want store.ErrCorrupt", err)
	}
}
