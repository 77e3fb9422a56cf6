package boltfile_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
)

// damages are ways to damage a file. They get its bytes and return what is left.
var damages = []struct {
	name string
	do   func(b []byte) []byte
}{
	{"empty", func([]byte) []byte { return nil }},
	{"a hundred bytes", func(b []byte) []byte { return b[:100] }},
	{"a page and a half", func(b []byte) []byte { return b[:pageSize*3/2] }},
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
	{"all pages but the meta pages zero",
		func(b []byte) []byte { clear(b[2*pageSize:]); return b }},
	{"the root page", inRoot(func(page []byte) { copy(page, noise(pageSize)) })},
	{"the number of the root page", inRoot(func(page []byte) { page[0] ^= 1 })},
	{"the type of the root page", inRoot(func(page []byte) { page[8] ^= 3 })},
	{"the count of the root page", inRoot(func(page []byte) { page[11] = 0xff })},
	{"the overflow of the root page", inRoot(func(page []byte) { page[15] = 0xff })},
	{"an element of the root page", inRoot(func(page []byte) { page[16+7] = 0xff })},
	{"the order of keys in the root page", inRoot(func(page []byte) {
		copy(page[bytes.Index(page, []byte("large")):], "zarge")
	})},
	{"the tree of a bucket is the root page", func(b []byte) []byte {
		page := b[rootPage(b)*pageSize:][:pageSize]
		at := bytes.Index(page, []byte("tree")) + len("tree")
		page[at] = byte(rootPage(b))
		return b
	}},
	{"a page of a tree is free", func(b []byte) []byte {
		list := b[int(freelist(b))*pageSize:]
		list[16] = byte(rootPage(b)) // the first of the free pages
		return b
	}},
	{"the list of free pages is a tree", func(b []byte) []byte {
		b[int(freelist(b))*pageSize+8] = 2
		return b
	}},
}

// inRoot is a damage of the root page.
func inRoot(do func(page []byte)) func([]byte) []byte {
	return func(b []byte) []byte {
		do(b[rootPage(b)*pageSize:][:pageSize])
		return b
	}
}

func TestOpenDamaged(t *testing.T) {
	first := filledFile(t, pageSize)
	second := anotherCommit(t, first)
	if &meta(first)[0] != &first[16] || &meta(second)[0] == &second[16] {
		t.Fatal("the files don't have one each of the meta pages as the newer one")
	}
	for _, tt := range damages {
		t.Run(tt.name, func(t *testing.T) {
			for i, whole := range [][]byte{first, second} {
				path := filepath.Join(t.TempDir(), "file.db")
				damaged := tt.do(bytes.Clone(whole))
				if bytes.Equal(damaged, whole) {
					t.Fatalf("file %d: it damages nothing", i)
				}
				write(t, path, damaged)
				f, err := boltfile.Open(path, empty)
				if err == nil {
					_ = f.DB().Close()
				}
				if !isCorrupt(err) {
					t.Errorf("file %d: got error %v, want a CorruptError", i, err)
				}
				if !bytes.Equal(read(t, path), damaged) {
					t.Errorf("file %d: it was changed", i)
				}
			}
		})
	}
}

// anotherCommit returns a file's bytes after a commit that gives it another root page.
func anotherCommit(t *testing.T, b []byte) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.db")
	write(t, path, b)
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("small")).Put([]byte("key"), []byte("other"))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return read(t, path)
}

func TestOpenWithOneMetaPage(t *testing.T) {
	for page := range 2 {
		b := twiceCommitted(t) // so that the older tree has all keys too
		path := filepath.Join(t.TempDir(), "file.db")
		copy(b[page*pageSize:], noise(pageSize))
		write(t, path, b)
		f, err := boltfile.Open(path, empty)
		if err != nil {
			t.Errorf("without meta page %d: %v", page, err)
			continue
		}
		if n, err := countKeys(f.DB()); n != filledKeys || err != nil {
			t.Errorf("without meta page %d: got %d keys, %v, want %d", page, n, err, filledKeys)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// twiceCommitted returns a file whose meta pages both lead to what fill writes.
func twiceCommitted(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.db")
	f := open(t, path, fill)
	if err := f.Update(empty); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return read(t, path)
}

// TestTruncatedWhileOpen takes pages away that bbolt has mapped. Reading them is a fault, which
// would end the process.
func TestTruncatedWhileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.db")
	f := open(t, path, fill)
	if err := os.Truncate(path, int64(2*pageSize)); err != nil {
		t.Fatal(err)
	}
	readAll := func(tx *bolt.Tx) error {
		countIn(tx.Cursor(), func(k []byte) *bolt.Bucket { return tx.Bucket(k) })
		return nil
	}
	if err := f.View(readAll); !isCorrupt(err) {
		t.Errorf("View: got error %v, want a CorruptError", err)
	}
	if err := f.Update(readAll); !isCorrupt(err) {
		t.Errorf("Update: got error %v, want a CorruptError", err)
	}
}

// FuzzOpen opens what may be a file. It is refused, or bbolt can read all of it and write to it
// without a panic or a fault, which nothing here would catch.
func FuzzOpen(f *testing.F) {
	const size = 1024
	whole := filledFile(f, size)
	f.Add(whole, uint32(0), byte(0))
	for i := range uint32(40) {
		f.Add(whole, 997*i*i, byte(1)<<(i%8))
	}
	f.Add(noise(5*size), uint32(0), byte(0))
	f.Fuzz(func(t *testing.T, b []byte, at uint32, flip byte) {
		if len(b) > 0 {
			b = bytes.Clone(b)
			b[int(at)%len(b)] ^= flip
		}
		path := filepath.Join(t.TempDir(), "file.db")
		write(t, path, b)
		file, err := boltfile.Open(path, empty)
		if err != nil {
			if !isCorrupt(err) {
				t.Errorf("got error %v, want a CorruptError", err)
			}
			return
		}
		if _, err := countKeys(file.DB()); err != nil {
			t.Error(err)
		}
		err = file.DB().Update(func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("new"))
			if err != nil {
				return nil // there is a key of that name, and no bucket
			}
			return b.Put([]byte("key"), make([]byte, 3*size))
		})
		if err != nil {
			t.Error(err)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
}
