package boltfile_test

import (
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
)

// What follows says what bbolt does that stepback.go keeps off. A test that fails because bbolt has
// become better is good news: then docs/decisions/bbolt-cursor-after-deletes.md is to be revised.

// deleting runs f in a transaction that has deleted the keys from from on and below to, of 1000.
func deleting(t *testing.T, from, to int, f func(b *bolt.Bucket)) {
	t.Helper()
	db := keyedBucket(t, 1000)
	tx, err := db.Begin(true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	b := tx.Bucket([]byte("b"))
	for i := from; i < to; i++ {
		if err := b.Delete(testKey(i)); err != nil {
			t.Fatal(err)
		}
	}
	f(b)
}

func TestBboltPrevStopsAtAnEmptyPage(t *testing.T) {
	deleting(t, 300, 600, func(b *bolt.Bucket) {
		c := b.Cursor()
		if k, _ := c.Seek(testKey(600)); string(k) != string(testKey(600)) {
			t.Fatalf("Seek: got %q", k)
		}
		if k, _ := c.Prev(); k != nil {
			t.Errorf("Prev: got %q: bbolt skips empty pages now", k)
		}
		k, _ := boltfile.LastBetween(b.Cursor(), nil, testKey(600))
		if string(k) != string(testKey(299)) {
			t.Errorf("LastBetween: got %q, want %q", k, testKey(299))
		}
	})
}

func TestBboltNextAfterADeleteSkipsAKey(t *testing.T) {
	deleting(t, 0, 1, func(b *bolt.Bucket) { // so that the first page is a node in memory
		c := b.Cursor()
		k, _ := c.First()
		if err := b.Delete(k); err != nil {
			t.Fatal(err)
		}
		if k, _ := c.Next(); string(k) != string(testKey(3)) {
			t.Errorf("Next after the delete of %q: got %q: bbolt skips no key now", testKey(1), k)
		}
	})
}

// TestBboltForwardStepsAreRight is about the steps that the store does take after deletes.
func TestBboltForwardStepsAreRight(t *testing.T) {
	deleting(t, 0, 600, func(b *bolt.Bucket) {
		c := b.Cursor()
		if k, _ := c.First(); string(k) != string(testKey(600)) {
			t.Errorf("First: got %q, want %q", k, testKey(600))
		}
		if k, _ := c.Seek(testKey(100)); string(k) != string(testKey(600)) {
			t.Errorf("Seek: got %q, want %q", k, testKey(600))
		}
	})
	deleting(t, 300, 1000, func(b *bolt.Bucket) {
		c := b.Cursor()
		if k, _ := c.Seek(testKey(299)); string(k) != string(testKey(299)) {
			t.Errorf("Seek: got %q, want %q", k, testKey(299))
		}
		if k, _ := c.Next(); k != nil {
			t.Errorf("Next at the end: got %q, want nil", k)
		}
	})
	deleting(t, 0, 1000, func(b *bolt.Bucket) {
		c := b.Cursor()
		if k, _ := c.First(); k != nil {
			t.Errorf("First in an empty bucket: got %q, want nil", k)
		}
		if k, _ := c.Seek(testKey(500)); k != nil {
			t.Errorf("Seek in an empty bucket: got %q, want nil", k)
		}
	})
}
