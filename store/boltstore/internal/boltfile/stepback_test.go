package boltfile_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
)

// keyedBucket returns a database with a bucket "b" of n keys, about 30 to a page.
func keyedBucket(t *testing.T, n int) *bolt.DB {
	t.Helper()
	o := bolt.Options{NoSync: true, PageSize: 4096}
	db, err := bolt.Open(filepath.Join(t.TempDir(), "keys.db"), 0o600, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	err = db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucket([]byte("b"))
		for i := 0; i < n && err == nil; i++ {
			err = b.Put(testKey(i), make([]byte, 100))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func testKey(i int) []byte { return fmt.Appendf(nil, "%06d", i) }

// TestStepBack compares backward steps with a sorted list of keys, in transactions that delete runs
// of keys, up to all of them, and put some back.
func TestStepBack(t *testing.T) {
	const n = 1500
	db := keyedBucket(t, n)
	undo := errors.New("undo")
	for round := range 60 {
		err := db.Update(func(tx *bolt.Tx) error {
			b := tx.Bucket([]byte("b"))
			has := make([]bool, n)
			for i := range has {
				has[i] = true
			}
			for range 1 + rand.IntN(6) {
				from := rand.IntN(n)
				to := min(n, from+rand.IntN(n))
				if round%4 == 0 {
					from, to = 0, n
				}
				for i := from; i < to; i++ {
					if err := b.Delete(testKey(i)); err != nil {
						return err
					}
					has[i] = false
				}
				if i := rand.IntN(n); round%3 == 0 {
					if err := b.Put(testKey(i), nil); err != nil {
						return err
					}
					has[i] = true
				}
				if err := compareStepBack(b, has); err != nil {
					return err
				}
			}
			return undo
		})
		if err != undo {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	err := db.View(func(tx *bolt.Tx) error {
		return compareStepBack(tx.Bucket([]byte("b")), slices.Repeat([]bool{true}, n))
	})
	if err != nil {
		t.Errorf("in a transaction that reads: %v", err)
	}
}

// compareStepBack compares the bucket with the keys that it has.
func compareStepBack(b *bolt.Bucket, has []bool) error {
	for range 20 {
		low, high := rand.IntN(len(has)+1), rand.IntN(len(has)+1)
		var want, got []string
		for i := high - 1; i >= low; i-- {
			if has[i] {
				want = append(want, string(testKey(i)))
			}
		}
		bound := testKey(high)
		if high == len(has) && rand.IntN(2) == 0 {
			bound = nil
		}
		k, _ := boltfile.LastBetween(b.Cursor(), testKey(low), bound)
		if len(want) == 0 && k != nil || len(want) > 0 && string(k) != want[0] {
			return fmt.Errorf("the last between %d and %d: got %q, want the first of %q",
				low, high, k, want)
		}
		for k := range boltfile.Descend(b.Cursor(), testKey(low), bound) {
			got = append(got, string(k))
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("from %d down to %d: got %q, want %q", high, low, got, want)
		}
	}
	return nil
}

// TestStepBackWhileDeleting deletes each key that it comes to.
func TestStepBackWhileDeleting(t *testing.T) {
	const n = 500
	db := keyedBucket(t, n)
	err := db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("b"))
		want := n
		for k := range boltfile.Descend(b.Cursor(), nil, nil) {
			if want--; !bytes.Equal(k, testKey(want)) {
				return fmt.Errorf("got %q, want %q", k, testKey(want))
			}
			if err := b.Delete(k); err != nil {
				return err
			}
		}
		if want != 0 {
			return fmt.Errorf("%d keys are left", want)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
