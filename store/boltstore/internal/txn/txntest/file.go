// Package txntest makes store files for the tests of packages that work in transactions, and has as
// much of package memory as those need.
package txntest

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/txn"

	bolt "go.etcd.io/bbolt"
)

// File is a store in a bbolt file, with clocks that a test sets. It is for one goroutine.
// Everything is in the open: a test reads the file by DB, sets the clocks, and calls what is in
// package txn itself.
type File struct {
	DB       *bolt.DB         // closed when the test ends
	Settings buckets.Settings // a test may change them between transactions, such as EraseStep
	Writer   buckets.Writer   // goes from one transaction to the next, as in a store
	Memory   Memory           // up to the last transaction that has committed

	Now  int64     // the store's clock; each look at it moves it on by Tick
	Tick int64     // 0 unless set
	Wall time.Time // the system's clock

	t testing.TB // for failures of what a test takes for granted
}

// New makes an empty store in a file that is removed when the test ends. The store is called
// "test"; its clocks stand still until the test sets them or Tick.
func New(t testing.TB) *File {
	t.Helper()
	// Without syncs: what survives a crash is boltfile's and the fault suite's to test.
	db, err := bolt.Open(filepath.Join(t.TempDir(), "hooks.db"), 0o600, &bolt.Options{
		// The rest is as Open has it.
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
	err = db.Update(func(tx *bolt.Tx) error { return buckets.Initialize(tx, "test") })
	if err != nil {
		t.Fatal(err)
	}
	f := &File{DB: db, Wall: time.Unix(1_800_000_000, 0).UTC(), t: t}
	// Both clocks begin with the same time, as when a store is opened; a test sets them apart.
	f.Now = f.Wall.UnixNano()
	f.Settings = buckets.Settings{
		Buckets: buckets.NamesOf("test"), EraseStep: buckets.DefaultEraseStep,
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
// on an error. It returns the effects in their order.
func (f *File) Update(do func(*txn.Tx) error) []effect.Effect {
	f.t.Helper()
	list, err := f.TryUpdate(txn.Riders{}, do)
	if err != nil {
		f.t.Fatal(err)
	}
	return list
}

// TryUpdate is Update with riders. After an error the transaction is rolled back, and the error
// returned. Memory learns nothing then, and Writer becomes stale, as a store does it.
func (f *File) TryUpdate(r txn.Riders, do func(*txn.Tx) error) (list []effect.Effect, err error) {
	err = f.DB.Update(func(tx *bolt.Tx) error {
		t, err := txn.Begin(&f.Settings, &f.Writer, tx)
		if err != nil {
			return err
		}
		if err := do(t); err != nil {
			return err
		}
		// In the order of a store's commit: operations, then Complete, then the effects are taken.
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
	// After the commit, so Memory never has what a rollback has taken back.
	f.Memory.Follow(list)
	return list, nil
}

// RollBack does something in a transaction that is rolled back. It is completed before: so Writer
// and the caches have seen all that a commit would have had. It ends the test on an error.
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
	// Before a failure is reported: Fatal ends the goroutine, and closing the database waits for
	// open transactions.
	if err := tx.Rollback(); err != nil {
		f.t.Error(err)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// View does something in a transaction that reads. It ends the test on an error. Memory is as it
// was before.
func (f *File) View(do func(*txn.Tx) error) {
	f.t.Helper()
	// With Writer all the same: Begin leaves it out of a transaction that reads, which tests see
	// so.
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

// Spill has the watermark rise to an event, in one transaction. It is a transaction with the rider
// alone, as when a store's memory is over its budget and nothing else is written.
func (f *File) Spill(to uint64) {
	f.t.Helper()
	do := func(*txn.Tx) error { return nil }
	if _, err := f.TryUpdate(txn.Riders{Spill: f.Memory.Spill(to)}, do); err != nil {
		f.t.Fatal(err)
	}
}

// Damage flips a bit of the record under a key, so that it can't be read. It ends the test if there
// is no record under the key.
func (f *File) Damage(bucket buckets.Bucket, key []byte) {
	f.t.Helper()
	err := f.DB.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(f.Settings.Buckets[bucket])
		// A copy: what Get returns is the mapped file, and writing to that is a fault.
		v := append([]byte(nil), b.Get(key)...)
		if len(v) == 0 {
			f.t.Fatalf("there is no record %x in %s", key, buckets.Names[bucket])
		}
		// In the middle, where the fields are; the checksum covers them.
		v[len(v)/2] ^= 4
		return b.Put(key, v)
	})
	if err != nil {
		f.t.Fatal(err)
	}
}
