// Package txntest makes store files for the tests of packages that work in transactions, and has as
// much of package memory as those need.
package txntest

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/txn"

	bolt "go.etcd.io/bbolt"
)

// File is a store in a bbolt file, with clocks that a test sets. It is for one goroutine.
type File struct {
	DB       *bolt.DB
	Settings txn.Settings
	Writer   txn.Writer
	Memory   Memory

	Now  int64     // the store's clock; each look at it moves it on by Tick
	Tick int64     // 0 unless set
	Wall time.Time // the system's clock

	t testing.TB
}

// New makes an empty store in a file that is removed when the test ends.
func New(t testing.TB) *File {
	t.Helper()
	// Without syncs: what survives a crash is boltfile's and the fault suite's to test.
	db, err := bolt.Open(filepath.Join(t.TempDir(), "hooks.db"), 0o600, &bolt.Options{
		NoSync: true, NoFreelistSync: true, FreelistType: bolt.FreelistMapType,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.Update(func(tx *bolt.Tx) error { return txn.Initialize(tx, "test") }); err != nil {
		t.Fatal(err)
	}
	f := &File{DB: db, Wall: time.Unix(1_800_000_000, 0).UTC(), t: t}
	f.Now = f.Wall.UnixNano()
	f.Settings = txn.Settings{
		Buckets: txn.BucketsOf("test"), EraseStep: txn.DefaultEraseStep,
		Now: func() int64 {
			f.Now += f.Tick
			return f.Now
		},
		Wall: func() time.Time { return f.Wall },
	}
	f.Memory.implicit = make(map[uint64][]uint64)
	return f
}

// Update does something in a transaction that is committed, and has Memory follow. It ends the test
// on an error.
func (f *File) Update(do func(*txn.Tx) error) []effect.Effect {
	f.t.Helper()
	list, err := f.TryUpdate(txn.Riders{}, do)
	if err != nil {
		f.t.Fatal(err)
	}
	return list
}

// TryUpdate is Update with riders. After an error the transaction is rolled back, and the error
// returned.
func (f *File) TryUpdate(r txn.Riders, do func(*txn.Tx) error) (list []effect.Effect, err error) {
	err = f.DB.Update(func(tx *bolt.Tx) error {
		t, err := txn.Begin(&f.Settings, &f.Writer, tx)
		if err != nil {
			return err
		}
		if err := do(t); err != nil {
			return err
		}
		if err := t.Complete(r); err != nil {
			return err
		}
		list = t.Effects()
		return nil
	})
	if err != nil {
		f.Writer.MarkStale()
		return nil, err
	}
	f.Memory.Follow(list)
	return list, nil
}

// RollBack does something in a transaction that is rolled back.
func (f *File) RollBack(do func(*txn.Tx) error) {
	f.t.Helper()
	tx, err := f.DB.Begin(true)
	if err != nil {
		f.t.Fatal(err)
	}
	t, err := txn.Begin(&f.Settings, &f.Writer, tx)
	if err == nil {
		err = do(t)
	}
	if err == nil {
		err = t.Complete(txn.Riders{})
	}
	f.Writer.MarkStale()
	if err := tx.Rollback(); err != nil {
		f.t.Error(err)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// View does something in a transaction that reads. It ends the test on an error.
func (f *File) View(do func(*txn.Tx) error) {
	f.t.Helper()
	err := f.DB.View(func(tx *bolt.Tx) error {
		t, err := txn.Begin(&f.Settings, &f.Writer, tx)
		if err != nil {
			return err
		}
		return do(t)
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// Spill has the watermark rise to an event, in one transaction.
func (f *File) Spill(to uint64) {
	f.t.Helper()
	do := func(*txn.Tx) error { return nil }
	if _, err := f.TryUpdate(txn.Riders{Spill: f.Memory.Spill(to)}, do); err != nil {
		f.t.Fatal(err)
	}
}

// Damage flips a bit of the record under a key, so that it can't be read.
func (f *File) Damage(bucket txn.Bucket, key []byte) {
	f.t.Helper()
	err := f.DB.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(f.Settings.Buckets[bucket])
		v := append([]byte(nil), b.Get(key)...)
		if len(v) == 0 {
			f.t.Fatalf("there is no record %x in %s", key, txn.BucketNames[bucket])
		}
		v[len(v)/2] ^= 4
		return b.Put(key, v)
	})
	if err != nil {
		f.t.Fatal(err)
	}
}
