package boltstore_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"

	bolt "go.etcd.io/bbolt"
)

// hostDB opens a database of a host that has data of its own.
func hostDB(t *testing.T) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "host.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	err = db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket([]byte("orders"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// inHost returns a store in the host's database.
func inHost(t *testing.T, db *bolt.DB, o *boltstore.Options) *boltstore.Store {
	t.Helper()
	s, err := boltstore.New(db, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// enqueueIn stores events in a transaction of the host.
func enqueueIn(s *boltstore.Store, tx *bolt.Tx, evs ...events.Event) error {
	return s.Tx(tx).Enqueue(context.Background(), evs...)
}

// order stores an order and publishes it.
func order(s *boltstore.Store, id string) func(tx *bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		if err := tx.Bucket([]byte("orders")).Put([]byte(id), []byte("paid")); err != nil {
			return err
		}
		return enqueueIn(s, tx, Event(id))
	}
}

func TestTx(t *testing.T) {
	db := hostDB(t)
	s := inHost(t, db, nil)
	subscribe(t, s)
	if err := db.Update(order(s, "kept")); err != nil {
		t.Fatal(err)
	}
	errHost := errors.New("no stock")
	err := db.Update(func(tx *bolt.Tx) error {
		if err := order(s, "undone")(tx); err != nil {
			return err
		}
		return errHost
	})
	if err != errHost {
		t.Fatal(err)
	}
	publish(t, s, "after", 1)
	verify(t, s)
	var got []string
	for _, c := range drain(t, s) {
		got = append(got, c.EventID)
	}
	if want := "[kept after-0]"; fmt.Sprint(got) != want {
		t.Errorf("claimed %v, want %s", got, want)
	}
	if err := db.Update(order(s, "undone")); err != nil { // nothing of it is left
		t.Fatal(err)
	}
	if n := len(drain(t, s)); n != 1 {
		t.Errorf("claimed %d, want 1", n)
	}
}

func TestTxTwiceInOne(t *testing.T) {
	db := hostDB(t)
	s := inHost(t, db, nil)
	subscribe(t, s)
	err := db.Update(func(tx *bolt.Tx) error {
		return errors.Join(enqueueIn(s, tx, Event("a")), enqueueIn(s, tx, Event("b"), Event("a")))
	})
	if err != nil {
		t.Fatal(err)
	}
	verify(t, s)
	if n := len(drain(t, s)); n != 2 {
		t.Errorf("claimed %d, want 2", n)
	}
}

func TestTxWakesTheReader(t *testing.T) {
	db := hostDB(t)
	s := inHost(t, db, nil)
	subscribe(t, s)
	tx, err := db.Begin(true)
	if err != nil {
		t.Fatal(err)
	}
	if err := enqueueIn(s, tx, Event("a")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Ready():
		t.Error("Ready has a value before the commit")
	default:
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Ready():
	default:
		t.Error("Ready has no value after the commit")
	}
}

func TestTxRefuses(t *testing.T) {
	db, other := hostDB(t), hostDB(t)
	s := inHost(t, db, nil)
	subscribe(t, s)
	begin := func(db *bolt.DB, writable bool) *bolt.Tx {
		tx, err := db.Begin(writable)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = tx.Rollback() })
		return tx
	}
	ended := begin(db, true)
	if err := ended.Rollback(); err != nil {
		t.Fatal(err)
	}
	bad := Event("bad")
	bad.Type = "not  a type"
	writing := begin(db, true)
	var invalid *events.InvalidError
	for _, tt := range []struct {
		name string
		tx   *bolt.Tx
		ev   events.Event
		is   func(error) bool
	}{
		{"another database", begin(other, true), Event("a"),
			func(err error) bool { return err != nil }},
		{"for reading", begin(db, false), Event("a"), func(err error) bool { return err != nil }},
		{"ended", ended, Event("a"), func(err error) bool { return err != nil }},
		{"none", nil, Event("a"), func(err error) bool { return err != nil }},
		{"a bad event", writing, bad, func(err error) bool { return errors.As(err, &invalid) }},
	} {
		if err := enqueueIn(s, tt.tx, tt.ev); !tt.is(err) {
			t.Errorf("%s: got error %v", tt.name, err)
		}
	}
	if err := enqueueIn(s, writing, Event("a")); err != nil {
		t.Fatal(err)
	}
	conflicting := Event("a")
	conflicting.Payload = []byte("1")
	if err := enqueueIn(s, writing, conflicting); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a taken ID: got error %v, want store.ErrConflict", err)
	}
	_ = writing.Rollback()
	_ = s.Close()
	writing = begin(db, true)
	if err := enqueueIn(s, writing, Event("a")); !errors.Is(err, store.ErrClosed) {
		t.Errorf("after Close: got error %v, want store.ErrClosed", err)
	}
}

// TestTxAmongOthers has the host's transactions, some rolled back, and the store's own at
// the same time, with next to no memory, so that the watermark rises all the while.
func TestTxAmongOthers(t *testing.T) {
	db := hostDB(t)
	o := boltstore.WithBudget(7)
	s := inHost(t, db, o)
	subscribe(t, s)
	const n = 60
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range n {
			if err := db.Update(order(s, fmt.Sprintf("order-%d", i))); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		for i := range n {
			_ = db.Update(func(tx *bolt.Tx) error {
				return errors.Join(order(s, fmt.Sprintf("undone-%d", i))(tx), errors.New("undo"))
			})
		}
	})
	wg.Go(func() { publish(t, s, "event", n) })
	delivered := make(map[string]bool)
	wg.Go(func() {
		for deadline := time.Now().Add(30 * time.Second); len(delivered) < 2*n &&
			time.Now().Before(deadline); {
			for _, c := range drain(t, s) {
				delivered[c.EventID] = true
			}
		}
	})
	wg.Wait()
	verify(t, s)
	if got, want := len(delivered), 2*n; got != want {
		t.Errorf("delivered: got %d, want %d", got, want)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = inHost(t, db, o) // Close has left the database open
	verify(t, s)
	if got := pending(t, s); got != 0 {
		t.Errorf("pending after a restart: got %d, want none", got)
	}
}

// TestCountPendingInTx counts in a transaction of the host while an erasure is unfinished, which
// the store's own CountPending finishes first: that is a write, which would wait for the
// transaction.
func TestCountPendingInTx(t *testing.T) {
	w := newWide(t, boltstore.WithEraseStep(nil, 1))
	before, err := w.s.CountPending(t.Context(), "", 1000)
	if err != nil || before == 0 {
		t.Fatalf("CountPending: got %d, %v, want some", before, err)
	}
	if _, err := w.erase(2); err == nil {
		t.Fatal("the erasure has ended, so what follows shows nothing")
	}
	tx, err := w.s.DB().Begin(true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	n, err := w.s.Tx(tx).CountPending(ctx, "", 1000)
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err != nil || n == 0 || n > before {
		t.Errorf("CountPending in the transaction: got %d, %v, want 1 to %d", n, err, before)
	}
}
