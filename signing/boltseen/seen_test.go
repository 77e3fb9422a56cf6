package boltseen_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/signing/boltseen"
)

func open(t *testing.T, path string, o *boltseen.Options) *boltseen.Seen {
	t.Helper()
	s, err := boltseen.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func openDB(t *testing.T) *bbolt.DB {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "host.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func add(t *testing.T, s *boltseen.Seen, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if err := s.Add(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
}

// wantSeen checks ids of one letter each.
func wantSeen(t *testing.T, s *boltseen.Seen, seen, not string) {
	t.Helper()
	for want, ids := range map[bool]string{true: seen, false: not} {
		for _, id := range ids {
			if got, err := s.Has(t.Context(), string(id)); got != want || err != nil {
				t.Errorf("Has(%c) = %t, %v; want %t", id, got, err, want)
			}
		}
	}
}

func TestSeenSurvivesARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen.db")
	s := open(t, path, nil)
	add(t, s, "a", "b", "a")
	wantSeen(t, s, "ab", "c")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v; want mode 0600", info.Mode(), err)
	}
	s = open(t, path, nil)
	wantSeen(t, s, "ab", "c")
	add(t, s, "c")
	wantSeen(t, s, "abc", "d")
}

func TestSeenBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "seen.db")
		o := &boltseen.Options{Max: 3, Keep: time.Hour}
		s := open(t, path, o)
		add(t, s, "a", "b", "a", "c")
		wantSeen(t, s, "abc", "d")
		add(t, s, "d") // a, which came first although it came again, has to go
		wantSeen(t, s, "bcd", "a")
		<-time.After(59 * time.Minute)
		s.Close()
		s = open(t, path, o)
		add(t, s, "e")
		wantSeen(t, s, "cde", "ab")
		<-time.After(time.Minute)
		wantSeen(t, s, "e", "abcd")
		add(t, s, "c") // after it was forgotten, for an hour from now
		<-time.After(59 * time.Minute)
		wantSeen(t, s, "c", "abde")
		<-time.After(time.Minute)
		wantSeen(t, s, "", "abcde")
		s.Close()
	})
}

// What is forgotten is removed from the file: it holds Max ids, however many come, and so it does
// soon after Max has become less.
func TestSeenRemoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openDB(t)
		defer db.Close()
		stored := func() (n int) {
			t.Helper()
			err := db.View(func(tx *bbolt.Tx) error {
				b := tx.Bucket([]byte(boltseen.DefaultBucket))
				return b.ForEachBucket(func(name []byte) error {
					n = max(n, b.Bucket(name).Stats().KeyN)
					return nil
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		fill := func(o boltseen.Options, n int, name string) {
			t.Helper()
			s, err := boltseen.New(db, &o)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(func(tx *bbolt.Tx) error {
				for i := range n {
					if err := s.AddTx(tx, fmt.Sprint(name, i)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		fill(boltseen.Options{Max: 500}, 2000, "a")
		if n := stored(); n != 500 {
			t.Errorf("%d are stored, want 500", n)
		}
		fill(boltseen.Options{Max: 50}, 10, "b")
		if n := stored(); n != 50 {
			t.Errorf("%d are stored after the bound went down to 50", n)
		}
		<-time.After(2 * time.Hour)
		fill(boltseen.Options{Max: 50, Keep: time.Hour}, 2, "c")
		if n := stored(); n != 2 {
			t.Errorf("%d are stored after the others have become old, want 2", n)
		}
	})
}

// Ids that are added at the same time are written together.
func TestSeenWritesTogether(t *testing.T) {
	db := openDB(t)
	s, err := boltseen.New(db, nil)
	if err != nil {
		t.Fatal(err)
	}
	commits := func() int {
		var id int
		if err := db.View(func(tx *bbolt.Tx) error { id = tx.ID(); return nil }); err != nil {
			t.Fatal(err)
		}
		return id
	}
	before := commits()
	const n = 100
	var adding, done sync.WaitGroup
	// The transaction of the host keeps the first of them waiting until all are there.
	err = db.Update(func(*bbolt.Tx) error {
		for i := range n {
			adding.Add(1)
			done.Go(func() {
				adding.Done()
				if err := s.Add(t.Context(), fmt.Sprint(i)); err != nil {
					t.Error(err)
				}
			})
		}
		adding.Wait()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	done.Wait()
	if made := commits() - before; made > n/2 {
		t.Errorf("%d transactions for %d ids that came together", made, n)
	}
	for i := range n {
		if has, err := s.Has(t.Context(), fmt.Sprint(i)); !has || err != nil {
			t.Errorf("Has(%d) = %t, %v; want true", i, has, err)
		}
	}
}

// An id that is stored in the transaction of the work is there if the work is, and only then.
func TestAddTx(t *testing.T) {
	db := openDB(t)
	s, err := boltseen.New(db, nil)
	if err != nil {
		t.Fatal(err)
	}
	undone := errors.New("undone")
	err = db.Update(func(tx *bbolt.Tx) error {
		return errors.Join(s.AddTx(tx, "a"), undone)
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	wantSeen(t, s, "", "a")
	if err := db.Update(func(tx *bbolt.Tx) error { return s.AddTx(tx, "a") }); err != nil {
		t.Fatal(err)
	}
	wantSeen(t, s, "a", "b")
	if err := db.View(func(tx *bbolt.Tx) error { return s.AddTx(tx, "b") }); err == nil {
		t.Error("AddTx in a transaction for reading: got nil, want an error")
	}
	other := openDB(t)
	if err := other.Update(func(tx *bbolt.Tx) error { return s.AddTx(tx, "b") }); err == nil {
		t.Error("AddTx in another database: got nil, want an error")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	wantSeen(t, s, "a", "b") // the database is the host's, and still open
}

// Two senders have a bucket each.
func TestBuckets(t *testing.T) {
	db := openDB(t)
	one, err := boltseen.New(db, &boltseen.Options{Bucket: "one"})
	if err != nil {
		t.Fatal(err)
	}
	two, err := boltseen.New(db, &boltseen.Options{Bucket: "two"})
	if err != nil {
		t.Fatal(err)
	}
	add(t, one, "a")
	wantSeen(t, one, "a", "b")
	wantSeen(t, two, "", "a")
}

func TestBadIDs(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "seen.db"), nil)
	for _, id := range []string{"", strings.Repeat("x", signing.MaxID+1)} {
		if err := s.Add(t.Context(), id); err == nil {
			t.Errorf("an id of %d bytes: got nil, want an error", len(id))
		}
	}
	add(t, s, strings.Repeat("x", signing.MaxID))
}

func TestOpenErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen.db")
	s := open(t, path, nil)
	if _, err := boltseen.Open(path, nil); err == nil || !strings.Contains(err.Error(), path) ||
		!strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("a file that is open: got %v, want an error that says so", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Has(t.Context(), "a"); !errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		t.Errorf("Has after Close: got %v, want bbolt's ErrDatabaseNotOpen", err)
	}
	if err := s.Add(t.Context(), "a"); !errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		t.Errorf("Add after Close: got %v, want bbolt's ErrDatabaseNotOpen", err)
	}
	missing := filepath.Join(t.TempDir(), "no", "such", "folder", "seen.db")
	if _, err := boltseen.Open(missing, nil); !errors.Is(err, os.ErrNotExist) ||
		!strings.Contains(err.Error(), missing) {
		t.Errorf("a folder that is missing: got %v, want an error that names the path", err)
	}
	garbage := filepath.Join(t.TempDir(), "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no bbolt file ", 10000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := boltseen.Open(garbage, nil); err == nil || !strings.Contains(err.Error(), garbage) {
		t.Errorf("a file that is no database: got %v, want an error that names it", err)
	}
}
