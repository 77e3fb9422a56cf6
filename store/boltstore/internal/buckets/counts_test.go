package buckets_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/boltstore/internal/txn/txntest"
	"github.com/outhook/outhook/store/internal/rollup"
)

// TestCounts adds batches of counts to the file, and removes them when they are past.
func TestCounts(t *testing.T) {
	f := txntest.New(t)
	num := f.Subscribe("sub", "")
	at := rollup.At(f.Wall)
	key := rollup.Key{Sub: num, At: at}
	batch := func(version uint64, sub uint64) *buckets.CountsPlan {
		b := new(rollup.Bucket)
		b.Add(f.Wall, &store.Attempt{Status: 200, Duration: time.Second}, true)
		return &buckets.CountsPlan{Version: version, Rows: []rollup.Row{
			{Key: rollup.Key{Sub: sub, At: at}, Counts: b},
		}}
	}
	write := func(p *buckets.CountsPlan) {
		t.Helper()
		list, err := f.TryUpdate(txn.Riders{Counts: p}, func(*txn.Tx) error { return nil })
		if err != nil || !slices.Contains(txntest.Kinds(list), "effect.CountsWritten") {
			t.Errorf("effects %v, %v, want that the counts are written", txntest.Kinds(list), err)
		}
	}
	check := func(version uint64, want *rollup.Bucket) {
		t.Helper()
		f.View(func(tx *txn.Tx) error {
			got := tx.Counts.Get(key)
			n, err := tx.Counts.Version()
			if n != version || err != nil || !bytes.Equal(got.Append(nil), want.Append(nil)) {
				t.Errorf("version %d, %v, counts %+v, want %d and %+v", n, err, got, version, *want)
			}
			return nil
		})
	}
	check(0, new(rollup.Bucket))
	want := new(rollup.Bucket)
	for version := range uint64(3) {
		write(batch(version+1, num))
		want.Add(f.Wall, &store.Attempt{Status: 200, Duration: time.Second}, true)
		check(version+1, want)
	}
	write(batch(4, num+1)) // a subscription that is not there
	f.View(func(tx *txn.Tx) error {
		gone := tx.Counts.Get(rollup.Key{Sub: num + 1, At: at})
		if none := new(rollup.Bucket); !bytes.Equal(gone.Append(nil), none.Append(nil)) {
			t.Errorf("counts of a subscription that is gone: %+v", gone)
		}
		if past := tx.Counts.Past(10); len(past) != 0 {
			t.Errorf("counts of now are past: %v", past)
		}
		return nil
	})
	f.Now += int64(rollup.Kept + time.Hour)
	f.Update(func(tx *txn.Tx) error {
		past := tx.Counts.Past(10)
		if len(past) != 2 { // with those of all
			t.Errorf("%d counts are past, want 2", len(past))
		}
		return tx.Counts.Remove(past)
	})
	check(4, new(rollup.Bucket))
}
