package txn_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/boltstore/internal/txn/txntest"
)

// TestPurgeInSteps deletes a subscription that has more records than one step may change, in rows,
// in chunks and implicit.
func TestPurgeInSteps(t *testing.T) {
	f := txntest.New(t)
	num := f.Subscribe("sub", "")
	other := f.Subscribe("other", "")
	const rows, total = txn.PruneStep + 200, txn.PruneStep + 900
	var seqs []uint64
	for i := range total {
		seqs = append(seqs, f.Enqueue(fmt.Sprintf("ev%05d", i), "", ""))
		if i < rows {
			f.Retry("sub", fmt.Sprintf("ev%05d", i))
		}
	}
	f.Spill(seqs[total-100])
	f.Update(func(t *txn.Tx) error { return t.Subs.Delete("sub") })
	orphaned := make(map[uint64]bool)
	steps := 0
	for p := f.Memory.NextPurge(); p != nil; p = f.Memory.NextPurge() {
		if steps++; steps > 20 {
			t.Fatal("the purge has no end")
		}
		before := records(f, num)
		for _, e := range f.Update(p.Step) {
			if e, ok := e.(effect.EventsOrphaned); ok {
				for _, seq := range e.Seqs {
					orphaned[seq] = true
				}
			}
		}
		if changed := before - records(f, num); changed > txn.PruneStep {
			t.Errorf("step %d has removed %d records, want %d at most", steps, changed,
				txn.PruneStep)
		}
	}
	if left := records(f, num); left != 0 || steps < 3 {
		t.Errorf("after %d steps %d records are left, want none after 3 at least", steps, left)
	}
	for _, seq := range seqs[:total-99] { // of the others only memory knows
		if !orphaned[seq] {
			t.Errorf("memory does not learn that a subscription of event %d is gone", seq)
		}
	}
	f.View(func(tx *txn.Tx) error {
		if orphans, err := tx.MetaNumber(buckets.MetaOrphans); orphans != 1 || err != nil {
			t.Errorf("the file says that there may be orphans: %d, %v, want 1", orphans, err)
		}
		return nil
	})
	if records(f, other) == 0 {
		t.Error("the records of another subscription are gone")
	}
}

// TestSlowPurgeEnds has a clock with which each step is too slow at its first look: the purge must
// come further nevertheless.
func TestSlowPurgeEnds(t *testing.T) {
	f := txntest.New(t)
	num := f.Subscribe("sub", "")
	const n = 300
	var seqs []uint64
	for i := range n {
		seqs = append(seqs, f.Enqueue(fmt.Sprintf("ev%05d", i), "", ""))
	}
	for i := range n / 2 {
		f.Retry("sub", fmt.Sprintf("ev%05d", i))
	}
	f.Spill(seqs[n-1])
	f.Update(func(tx *txn.Tx) error {
		num, was, encoded, err := tx.Subs.LookUp("sub")
		if err != nil {
			return err
		}
		is := was.Clone()
		is.Status = store.Unsubscribed
		_, err = tx.Subs.Update(num, was, is, encoded)
		return err
	})
	f.Tick = int64(time.Second)
	for steps := 0; f.Memory.NextPurge() != nil; steps++ {
		if steps == n {
			t.Fatalf("after %d steps the purge is at %+v", steps, f.Memory.Purges)
		}
		f.Update(f.Memory.NextPurge().Step)
	}
	f.View(func(tx *txn.Tx) error {
		for _, seq := range seqs {
			d, ok, err := tx.Pending.Row(pending.ID{Num: num, Seq: seq})
			if err != nil || !ok || d.State != store.Canceled {
				t.Errorf("the row of event %d is %+v, %v, %v, want canceled", seq, d, ok, err)
			}
		}
		return nil
	})
}

// records counts the records of a subscription's deliveries.
func records(f *txntest.File, num uint64) (n int) {
	f.View(func(t *txn.Tx) error {
		for _, id := range []buckets.Bucket{buckets.Rows, buckets.States, buckets.Due,
			buckets.Keyed, buckets.Chunks} {
			c := t.Bucket(id).Cursor()
			start := record.Key1(num)
			for k, _ := c.Seek(start[:]); record.InSubscription(k, num); k, _ = c.Next() {
				n++
			}
		}
		return nil
	})
	return n
}
