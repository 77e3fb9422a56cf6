package boltfile_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
)

// pageSize is bbolt's, on the machine that runs these tests.
var pageSize = os.Getpagesize()

// open opens a file, and closes it at the end unless the test does.
func open(t *testing.T, path string, initialize func(*bolt.Tx) error) *boltfile.File {
	t.Helper()
	f, err := boltfile.Open(path, initialize)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.DB().Close() })
	return f
}

// empty initializes a file with nothing.
func empty(*bolt.Tx) error { return nil }

// fill writes trees of each kind: one with branch pages, one with large values, one inside another,
// and one so small that it is in its parent's page.
func fill(tx *bolt.Tx) error {
	tree, err := tx.CreateBucket([]byte("tree"))
	for i := 0; i < 300 && err == nil; i++ {
		err = tree.Put(fmt.Appendf(nil, "key-%06d", i), make([]byte, 100))
	}
	if err != nil {
		return err
	}
	large, err := tx.CreateBucket([]byte("large"))
	for i := 0; i < 3 && err == nil; i++ {
		err = large.Put(fmt.Appendf(nil, "key-%d", i), make([]byte, 10_000))
	}
	if err != nil {
		return err
	}
	inner, err := large.CreateBucket([]byte("inner"))
	for i := 0; i < 100 && err == nil; i++ {
		err = inner.Put(fmt.Appendf(nil, "key-%06d", i), make([]byte, 100))
	}
	if err != nil {
		return err
	}
	small, err := tx.CreateBucket([]byte("small"))
	if err != nil {
		return err
	}
	return small.Put([]byte("key"), []byte("value"))
}

// filledKeys is how many keys fill writes, of which two are in the root and one is a bucket's name.
const filledKeys = 300 + 3 + 1 + 100 + 1 + 3

// filledFile returns the bytes of a file with what fill writes, and a list of free pages.
func filledFile(t testing.TB, size int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "filled.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{PageSize: size})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(fill), db.Close()); err != nil {
		t.Fatal(err)
	}
	return read(t, path)
}

// countKeys reads all of a file, without a guard, and returns how many keys it has.
func countKeys(db *bolt.DB) (n int, err error) {
	err = db.View(func(tx *bolt.Tx) error {
		n = countIn(tx.Cursor(), func(k []byte) *bolt.Bucket { return tx.Bucket(k) })
		return nil
	})
	return n, err
}

func countIn(c *bolt.Cursor, bucket func([]byte) *bolt.Bucket) (n int) {
	for k, v := c.First(); k != nil; k, v = c.Next() {
		n++
		if v != nil {
			for range v { // so that the whole value is read
			}
			continue
		}
		if b := bucket(k); b != nil {
			n += countIn(b.Cursor(), b.Bucket)
		}
	}
	return n
}

// rootPage, freelist and lastPage read the meta page that counts: where the tree begins, where the
// list of free pages is, and the highest page that is used.
func rootPage(b []byte) int    { return int(binary.NativeEndian.Uint64(meta(b)[16:])) }
func freelist(b []byte) uint64 { return binary.NativeEndian.Uint64(meta(b)[32:]) }
func lastPage(b []byte) int    { return int(binary.NativeEndian.Uint64(meta(b)[40:])) - 1 }

func meta(b []byte) []byte {
	m0, m1 := b[16:], b[pageSize+16:]
	if binary.NativeEndian.Uint64(m0[48:]) > binary.NativeEndian.Uint64(m1[48:]) {
		return m0
	}
	return m1
}

func noise(n int) []byte {
	r := rand.NewChaCha8([32]byte{1})
	b := make([]byte, n)
	_, _ = r.Read(b) // never fails
	return b
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func isCorrupt(err error) bool {
	var corrupt *boltfile.CorruptError
	return errors.As(err, &corrupt)
}
