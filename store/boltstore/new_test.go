package boltstore_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"

	bolt "go.etcd.io/bbolt"
)

func TestNewUnderAnotherName(t *testing.T) {
	db := hostDB(t)
	a, b := inHost(t, db, &boltstore.Options{Name: "a"}), inHost(t, db,
		&boltstore.Options{Name: "b"})
	subscribe(t, a)
	publish(t, a, "event", 1)
	if got := pending(t, a) - pending(t, b); got != 1 {
		t.Errorf("one store has %d more than the other, want 1", got)
	}
	err := db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket([]byte("c/meta"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := boltstore.New(db, &boltstore.Options{Name: "c"}); !errors.Is(err,
		store.ErrCorrupt) {
		t.Errorf("buckets that are no store: got error %v, want store.ErrCorrupt", err)
	}
}

func TestNewWithoutADatabase(t *testing.T) {
	_, err := boltstore.New(nil, nil)
	if err == nil || errors.Is(err, store.ErrCorrupt) ||
		!strings.Contains(err.Error(), "bbolt.DB") {
		t.Errorf("got error %v, want one that asks for a *bbolt.DB", err)
	}
}

func TestNewTwice(t *testing.T) {
	db := hostDB(t)
	first := inHost(t, db, nil)
	_, err := boltstore.New(db, &boltstore.Options{Name: boltstore.DefaultName})
	if !errors.Is(err, store.ErrLocked) || !strings.Contains(err.Error(), `"outhook"`) {
		t.Errorf("a second store of the name: got error %v, want store.ErrLocked and the name", err)
	}
	inHost(t, db, &boltstore.Options{Name: "other"})
	inHost(t, hostDB(t), nil) // another database
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := inHost(t, db, nil)
	if err := first.Close(); err != nil { // again, which must not make the name free
		t.Fatal(err)
	}
	if _, err := boltstore.New(db, nil); !errors.Is(err, store.ErrLocked) {
		t.Errorf("beside the store made after Close: got error %v, want store.ErrLocked", err)
	}
	subscribe(t, second)
}

// TestNewAtOnce checks that one of many callers gets the name, and that a New that fails keeps
// none.
func TestNewAtOnce(t *testing.T) {
	db := hostDB(t)
	made := make([]*boltstore.Store, 8)
	var group sync.WaitGroup
	for i := range made {
		group.Go(func() {
			s, err := boltstore.New(db, nil)
			if err != nil && !errors.Is(err, store.ErrLocked) {
				t.Error(err)
			}
			made[i] = s
		})
	}
	group.Wait()
	count := 0
	for _, s := range made {
		if s != nil {
			count++
			t.Cleanup(func() { _ = s.Close() })
		}
	}
	if count != 1 {
		t.Errorf("%d stores of one name, want 1", count)
	}
	err := db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket([]byte("c/meta"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := boltstore.New(db, &boltstore.Options{Name: "c"})
		if !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("buckets that are no store: got error %v, want store.ErrCorrupt", err)
		}
	}
}
