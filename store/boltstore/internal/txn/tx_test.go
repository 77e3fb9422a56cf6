package txn_test

import (
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/boltstore/internal/txn/txntest"
	"github.com/outhook/outhook/store/internal/page"
)

// TestKeptClock checks how far behind the clock the file is after transactions that commit anyway.
func TestKeptClock(t *testing.T) {
	f := txntest.New(t)
	f.Subscribe("sub", "")
	kept := func() (at int64) {
		f.View(func(t *txn.Tx) error {
			at = t.KeptClock()
			return nil
		})
		return at
	}
	first := kept()
	if first != f.Now {
		t.Errorf("the first transaction has kept %d, want %d", first, f.Now)
	}
	for i := range 20 {
		f.Now += int64(300 * time.Millisecond)
		f.Update(func(*txn.Tx) error { return nil })
		if behind := f.Now - kept(); behind < 0 || behind >= int64(time.Second) {
			t.Errorf("transaction %d: the file is %v behind", i, time.Duration(behind))
		}
	}
	f.Damage(buckets.Meta, []byte("clock"))
	if got := kept(); got != 0 {
		t.Errorf("a record that can't be read says %d, want 0", got)
	}
}

// TestMarkDead ends deliveries that are damaged in one of their parts.
func TestMarkDead(t *testing.T) {
	f := txntest.New(t)
	num := f.Subscribe("sub", "")
	seq := f.Enqueue("ev", "", "key")
	next := f.Enqueue("next", "", "key") // has a row, since it is blocked
	key := record.Key2(num, next)
	f.Damage(buckets.Rows, key[:])
	for _, s := range []uint64{next, seq} {
		f.Update(func(t *txn.Tx) error { return t.MarkDead(num, s, 0) })
		f.View(func(tx *txn.Tx) error {
			d, ok, err := tx.Pending.Find(num, s, 0)
			if err != nil || !ok || d.State != store.Dead || d.Reason == "" ||
				d.FinishedAt != f.Now {
				t.Errorf("delivery %d is %+v, %v, %v, want dead, and a reason", s, d, ok, err)
			}
			b, err := tx.Pending.Backlogs.Get(num)
			if err != nil || b.Pending != 0 { // the other one is implicit
				t.Errorf("the backlog is %+v, %v, want nothing pending", b, err)
			}
			return nil
		})
	}
	// A subscription that is gone has no deliveries.
	if list := f.Update(func(t *txn.Tx) error {
		return t.MarkDead(num+1, seq,
			0)
	}); len(list) != 0 {
		t.Errorf("of a subscription that is not there: %v", txntest.Kinds(list))
	}
}

// TestOutcomeOfAnEarlierLease has a delivery requeued while an attempt of it is under way: its
// token is good only for what was claimed with it.
func TestOutcomeOfAnEarlierLease(t *testing.T) {
	f := txntest.New(t)
	num := f.Subscribe("sub", "")
	seq := f.Enqueue("ev", "", "")
	outcome := func(asOf uint64, s store.State) (ignored bool) {
		o := txn.NewOutcome(store.Outcome{State: s})
		o.Claimed, o.Id, o.AsOf = true, pending.ID{Num: num, Seq: seq}, asOf
		f.Update(func(tx *txn.Tx) error {
			r, err := tx.FinishDelivery(&o)
			ignored = r.Ignored
			return err
		})
		return ignored
	}
	if outcome(seq, store.Dead) {
		t.Error("the outcome of the present lease is ignored")
	}
	f.Update(func(tx *txn.Tx) error {
		q := store.DeliveryQuery{States: []store.State{store.Dead}}
		positions := []page.Position{{Seq: seq, Num: num}}
		r, err := tx.Requeue(&q, positions, func(page.Position) bool { return false })
		if r.Requeued != 1 {
			t.Errorf("%d were requeued, want 1", r.Requeued)
		}
		return err
	})
	if !outcome(seq, store.Dead) {
		t.Error("the failure of an earlier lease ends the delivery, which is pending again")
	}
	f.View(func(tx *txn.Tx) error {
		d, _, err := tx.Pending.Find(num, seq, 0)
		if err != nil || !d.Pending() || d.AsOf == seq || d.Attempts != 1 {
			t.Errorf("the delivery is %+v, %v, want pending as of a later number", d, err)
		}
		return nil
	})
}
