package boltstore_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

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
	if _, err := boltstore.Open(path, nil); !errors.Is(err, store.ErrLocked) {
		t.Errorf("got error %v, want store.ErrLocked", err)
	}
}

func TestOpenWithoutAPath(t *testing.T) {
	_, err := boltstore.Open("", nil)
	if want := "boltstore: open: the path is empty; give that of a file"; err == nil ||
		!strings.HasPrefix(err.Error(), want) {
		t.Errorf("got error %v, want %s", err, want)
	}
}

func TestOpenUnknownFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hooks.db")
	s := open(t, path, nil)
	for version, want := range map[uint64]string{1: "format 1,", 7: "format 7,"} {
		if err := s.SetFormat(version); err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		_, err := boltstore.Open(path, nil)
		if err == nil || errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "begin a new file") {
			t.Errorf("got error %v, want one that names the format and says what to do", err)
		}
		path = filepath.Join(t.TempDir(), "another.db")
		s = open(t, path, nil)
	}
}

// TestOpenFormatWithOtherBuckets: a file of another format that lacks a bucket of this one is of
// that format, and not damaged.
func TestOpenFormatWithOtherBuckets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hooks.db")
	s := open(t, path, nil)
	if err := s.SetFormat(4); err != nil {
		t.Fatal(err)
	}
	if err := s.DB().Update(func(tx *bolt.Tx) error {
		return tx.DeleteBucket([]byte(boltstore.DefaultName + "/expiries"))
	}); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	_, err := boltstore.Open(path, nil)
	if err == nil || errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "format 4,") {
		t.Errorf("got error %v, want one that names the format", err)
	}
}

// TestCursorsOutliveTheirKey damages the key of cursors: those from before are refused, and all
// else works.
func TestCursorsOutliveTheirKey(t *testing.T) {
	s := create(t, nil)
	subscribe(t, s)
	publish(t, s, "event", 5)
	page, err := s.Deliveries(t.Context(), store.DeliveryQuery{Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	err = s.DB().Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("outhook/meta")).Put([]byte("cursors"), []byte("damaged"))
	})
	if err != nil {
		t.Fatal(err)
	}
	s = restart(t, s, nil)
	q := store.DeliveryQuery{Limit: 2, Cursor: page.Next}
	if _, err := s.Deliveries(t.Context(), q); !errors.As(err, new(*events.InvalidError)) {
		t.Errorf("a cursor from before: got error %v, want an *events.InvalidError", err)
	}
	got, q := 0, store.DeliveryQuery{Limit: 2}
	for more := true; more; more = q.Cursor != "" {
		if page, err = s.Deliveries(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		got, q.Cursor = got+len(page.Items), page.Next
	}
	if got != 5 {
		t.Errorf("listed %d, want 5", got)
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

// TestOpenDamaged is about the error. The package boltfile has the tests of what is noticed.
func TestOpenDamaged(t *testing.T) {
	whole := filledFile(t)
	for _, tt := range []struct {
		name   string
		damage func(b []byte) []byte
	}{
		{"empty", func([]byte) []byte { return nil }},
		{"all but the last page", func(b []byte) []byte { return b[:lastPage(b)*pageSize] }},
		{"random bytes", func(b []byte) []byte { return noise(len(b)) }},
		{"all pages but the meta pages zero", func(b []byte) []byte {
			clear(b[2*pageSize:])
			return b
		}},
	} {
		path := filepath.Join(t.TempDir(), "hooks.db")
		damaged := tt.damage(bytes.Clone(whole))
		write(t, path, damaged)
		_, err := boltstore.Open(path, nil)
		if !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("%s: got error %v, want store.ErrCorrupt", tt.name, err)
		}
		if strings.Count(err.Error(), "corrupt") != 1 {
			t.Errorf("%s: the error %q says it more than once", tt.name, err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, damaged) {
			t.Errorf("%s: the file was changed, or can't be read: %v", tt.name, err)
		}
	}
}

// TestOpenFlipped flips bits all over the file. Nothing crashes, and nothing wrong is claimed.
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

// TestTruncatedWhileOpen takes pages away that bbolt has mapped. Reading them is a fault, which
// would end the process.
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
	_, err = s.Claim(t.Context(), store.ClaimRequest{Max: 1, Lease: time.Minute})
	if !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Claim: got error %v, want store.ErrCorrupt", err)
	}
	if err := s.Enqueue(t.Context(), Event("late")); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("Enqueue: got error %v, want store.ErrCorrupt", err)
	}
}
