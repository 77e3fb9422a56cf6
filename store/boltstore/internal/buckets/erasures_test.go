package buckets_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/boltstore/internal/txn/txntest"
)

// TestErasureInSteps erases an event with several rows, one of which can't be read.
func TestErasureInSteps(t *testing.T) {
	f := txntest.New(t)
	f.Settings.EraseStep = 1
	subs := []string{"sub0", "sub1", "sub2", "sub3"}
	last := f.Subscribe("sub4", "")
	var nums []uint64
	for _, id := range subs {
		nums = append(nums, f.Subscribe(id, ""))
	}
	seq := f.Enqueue("ev", "", "")
	for _, id := range subs {
		f.Retry(id, "ev")
	}
	bad := record.Key2(nums[1], seq)
	f.Damage(buckets.Rows, bad[:])
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
	if !slices.Contains(txntest.Kinds(list), "effect.ErasureBegun") {
		t.Errorf("the effects are %v, want that an erasure has begun", txntest.Kinds(list))
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
			v := tx.Get(buckets.Rows, key[:])
			if i != 1 && (len(v) == 0 || bytes.Contains(v, []byte("secret"))) {
				t.Errorf("the row of %s still has the answer, or is gone: %q", subs[i], v)
			}
		}
		key := record.Key2(last, seq)
		if v := tx.Get(buckets.Rows, key[:]); len(v) == 0 || bytes.Contains(v, []byte("secret")) {
			t.Errorf("the row of the late success has the answer, or is not there: %q", v)
		}
		all, err := tx.Erasures.List()
		if len(all) != 0 || err != nil {
			t.Errorf("marks are left: %v, %v", all, err)
		}
		return nil
	})
}
