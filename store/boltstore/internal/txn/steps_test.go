package txn_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/boltstore/internal/txn/txntest"
	"github.com/outhook/outhook/store/internal/rollup"
)

// retry has a delivery tried again later, so that it has a row with an answer.
func retry(t *testing.T, f *txntest.File, sub, event string) {
	t.Helper()
	o := txn.NewOutcome(store.Outcome{
		Lease: store.Lease{SubscriptionID: sub, EventID: event}, State: store.Pending,
		Attempt: store.Attempt{Status: 500, Error: "failed", Response: []byte("secret answer")},
		RetryIn: time.Hour,
	})
	f.Update(func(tx *txn.Tx) error {
		num, seq, d, ok, err := tx.LookUp(sub, event)
		if !ok || err != nil {
			return fmt.Errorf("%s of %s: found %v, %w", event, sub, ok, err)
		}
		o.Claimed, o.Id = true, pending.ID{Num: num, Seq: seq}
		o.KeyHash, o.AsOf = d.KeyHash, d.AsOf
		_, err = tx.FinishDelivery(&o)
		return err
	})
}

// TestErasureInSteps erases an event with several rows, one of which can't be read.
func TestErasureInSteps(t *testing.T) {
	f := txntest.New(t)
	f.Settings.EraseStep = 1
	subs := []string{"sub0", "sub1", "sub2", "sub3"}
	last := subscribe(t, f, "sub4", "")
	var nums []uint64
	for _, id := range subs {
		nums = append(nums, subscribe(t, f, id, ""))
	}
	seq := enqueue(t, f, "ev", "", "")
	for _, id := range subs {
		retry(t, f, id, "ev")
	}
	bad := record.Key2(nums[1], seq)
	f.Damage(txn.BucketRows, bad[:])
	checkErased := func(step int) {
		f.View(func(tx *txn.Tx) error {
			for i, id := range subs {
				_, _, d, ok, err := tx.LookUp(id, "ev")
				if i == 1 {
					if err == nil {
						t.Errorf("step %d: the damaged row is read as %+v", step, d)
					}
					continue
				}
				if err != nil || !ok || d.State != store.Canceled ||
					d.Reason != pending.ErasedReason ||
					bytes.Contains(d.Log, []byte("secret")) {
					t.Errorf("step %d: %s is %+v, %v, %v, want erased", step, id, d, ok, err)
				}
			}
			return nil
		})
	}
	list := f.Update(func(tx *txn.Tx) error {
		n, marked, err := tx.Erasures.Erase([]uint64{seq})
		if n != 1 || !slices.Equal(marked, []uint64{seq}) {
			t.Errorf("%d were erased, marked %v, want one with a mark", n, marked)
		}
		return err
	})
	if !slices.Contains(kinds(list), "effect.ErasureBegun") {
		t.Errorf("the effects are %v, want that an erasure has begun", kinds(list))
	}
	checkErased(0)
	// An attempt that was under way ends now. It counts, and its answer is dropped.
	late := txn.NewOutcome(store.Outcome{
		Lease: store.Lease{SubscriptionID: "sub4", EventID: "ev"}, State: store.Delivered,
		Attempt: store.Attempt{Status: 200, Response: []byte("secret, and late")},
	})
	f.Update(func(tx *txn.Tx) error {
		r, err := tx.FinishDelivery(&late)
		if r.Ignored {
			t.Error("a late success is ignored")
		}
		return err
	})
	steps, unreadable := 0, 0
	for done := false; !done; {
		if steps++; steps > len(subs) {
			t.Fatalf("after %d steps the erasure is not done", steps)
		}
		list := f.Update(func(tx *txn.Tx) (err error) {
			done, err = tx.Erasures.Step(seq)
			return err
		})
		for _, e := range list {
			switch e := e.(type) {
			case effect.RowUnreadable:
				unreadable++
			case effect.ErasureEnded:
				if !done {
					t.Errorf("step %d: memory learns that %d has ended before the last step", steps,
						e.Seq)
				}
			}
		}
		checkErased(steps)
	}
	if steps < 3 || unreadable != 1 {
		t.Errorf("it took %d steps, %d rows could not be read, want 3 at least and 1", steps,
			unreadable)
	}
	f.View(func(tx *txn.Tx) error {
		for i, num := range nums {
			key := record.Key2(num, seq)
			v := tx.Get(txn.BucketRows, key[:])
			if i != 1 && (len(v) == 0 || bytes.Contains(v, []byte("secret"))) {
				t.Errorf("the row of %s still has the answer, or is gone: %q", subs[i], v)
			}
		}
		key := record.Key2(last, seq)
		if v := tx.Get(txn.BucketRows, key[:]); len(v) == 0 || bytes.Contains(v, []byte("secret")) {
			t.Errorf("the row of the late success has the answer, or is not there: %q", v)
		}
		all, err := tx.Erasures.List()
		if len(all) != 0 || err != nil {
			t.Errorf("marks are left: %v, %v", all, err)
		}
		return nil
	})
}

// TestPurgeInSteps deletes a subscription that has more records than one step may change, in rows,
// in chunks and implicit.
func TestPurgeInSteps(t *testing.T) {
	f := txntest.New(t)
	num := subscribe(t, f, "sub", "")
	other := subscribe(t, f, "other", "")
	const rows, total = txn.PruneStep + 200, txn.PruneStep + 900
	var seqs []uint64
	for i := range total {
		seqs = append(seqs, enqueue(t, f, fmt.Sprintf("ev%05d", i), "", ""))
		if i < rows {
			retry(t, f, "sub", fmt.Sprintf("ev%05d", i))
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
		if orphans, err := tx.MetaNumber(txn.MetaOrphans); orphans != 1 || err != nil {
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
	num := subscribe(t, f, "sub", "")
	const n = 300
	var seqs []uint64
	for i := range n {
		seqs = append(seqs, enqueue(t, f, fmt.Sprintf("ev%05d", i), "", ""))
	}
	for i := range n / 2 {
		retry(t, f, "sub", fmt.Sprintf("ev%05d", i))
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
		for _, id := range []txn.Bucket{txn.BucketRows, txn.BucketStates, txn.BucketDue,
			txn.BucketKeyed, txn.BucketChunks} {
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

// TestCounts adds batches of counts to the file, and removes them when they are past.
func TestCounts(t *testing.T) {
	f := txntest.New(t)
	num := subscribe(t, f, "sub", "")
	at := rollup.At(f.Wall)
	key := rollup.Key{Sub: num, At: at}
	batch := func(version uint64, sub uint64) *txn.CountsPlan {
		b := new(rollup.Bucket)
		b.Add(f.Wall, &store.Attempt{Status: 200, Duration: time.Second}, true)
		return &txn.CountsPlan{Version: version, Rows: []rollup.Row{
			{Key: rollup.Key{Sub: sub, At: at}, Counts: b},
		}}
	}
	write := func(p *txn.CountsPlan) {
		t.Helper()
		list, err := f.TryUpdate(txn.Riders{Counts: p}, func(*txn.Tx) error { return nil })
		if err != nil || !slices.Contains(kinds(list), "effect.CountsWritten") {
			t.Errorf("effects %v, %v, want that the counts are written", kinds(list), err)
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
