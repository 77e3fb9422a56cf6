package txn_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/boltstore/internal/txn/txntest"
	"github.com/outhook/outhook/store/internal/page"

	bolt "go.etcd.io/bbolt"
)

// subscribe stores a subscription to all types of a tenant, and returns its number.
func subscribe(t *testing.T, f *txntest.File, id, tenant string) (num uint64) {
	t.Helper()
	f.Update(func(t *txn.Tx) error {
		_, err := t.Subs.Create(store.Subscription{ID: id, Tenant: tenant,
			Status: store.Subscribed})
		if err == nil {
			num, err = t.Subs.Number(id)
		}
		return err
	})
	return num
}

// event returns the record of an event that is to be enqueued.
func event(t *testing.T, f *txntest.File, id, tenant, key string) *record.Event {
	t.Helper()
	e, err := record.NewEvent(events.Event{
		ID: id, Type: "order.paid", Tenant: tenant, Key: key, Time: f.Wall,
		Payload: json.RawMessage(`{"n":1}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// enqueue stores an event, and returns its sequence number.
func enqueue(t *testing.T, f *txntest.File, id, tenant, key string) (seq uint64) {
	t.Helper()
	e := event(t, f, id, tenant, key)
	f.Update(func(t *txn.Tx) (err error) {
		if err = t.Enqueue([]*record.Event{e}); err == nil {
			seq, err = t.IDs.Find(tenant, id)
		}
		return err
	})
	return seq
}

// kinds returns the types of effects.
func kinds(list []effect.Effect) (names []string) {
	for _, e := range list {
		names = append(names, fmt.Sprintf("%T", e))
	}
	return names
}

func TestCheckFormat(t *testing.T) {
	tests := []struct {
		name    string
		damage  func(f *txntest.File, tx *bolt.Tx) error
		corrupt bool // or else an error of its own
	}{
		{"a bucket is gone", func(f *txntest.File, tx *bolt.Tx) error {
			return tx.DeleteBucket(f.Settings.Buckets[buckets.Keyed])
		}, true},
		{"no version", func(f *txntest.File, tx *bolt.Tx) error {
			return tx.Bucket(f.Settings.Buckets[buckets.Meta]).Delete([]byte(buckets.MetaFormat))
		}, true},
		{"a later version", func(f *txntest.File, tx *bolt.Tx) error {
			key := []byte(buckets.MetaFormat)
			b := tx.Bucket(f.Settings.Buckets[buckets.Meta])
			return b.Put(key, record.EncodeNumber(key, 1000))
		}, false},
	}
	f := txntest.New(t)
	f.View(func(t *txn.Tx) error { return t.CheckFormat() })
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := txntest.New(t)
			if err := f.DB.Update(func(tx *bolt.Tx) error { return tt.damage(f, tx) }); err != nil {
				t.Fatal(err)
			}
			f.View(func(tx *txn.Tx) error {
				if err := tx.CheckFormat(); err == nil ||
					errors.Is(err, store.ErrCorrupt) != tt.corrupt {
					t.Errorf("got %v, want an error that is ErrCorrupt: %v", err, tt.corrupt)
				}
				return nil
			})
		})
	}
}

// TestTry has operations share a transaction, and some of them fail.
func TestTry(t *testing.T) {
	failed := errors.New("it failed")
	f := txntest.New(t)
	subscribe(t, f, "sub", "")
	list := f.Update(func(tx *txn.Tx) error {
		if tx.NeedsCommit() {
			t.Error("a transaction that has done nothing needs a commit")
		}
		e := event(t, f, "ev1", "", "")
		intact, err := tx.Try(func() error { return tx.Enqueue([]*record.Event{e}) })
		if !intact || err != nil {
			t.Errorf("an operation that succeeds: intact %v, %v", intact, err)
		}
		intact, err = tx.Try(func() error { return failed })
		if !intact || !errors.Is(err, failed) {
			t.Errorf("an operation that fails before it writes: intact %v, %v", intact, err)
		}
		if !tx.NeedsCommit() {
			t.Error("a transaction that has stored an event needs no commit")
		}
		return nil
	})
	if got := kinds(list); len(got) != 1 || got[0] != "*effect.EventEnqueued" {
		t.Errorf("the effects are %v, want that one event is enqueued", got)
	}
	f.RollBack(func(tx *txn.Tx) error {
		e := event(t, f, "ev2", "", "")
		intact, err := tx.Try(func() error {
			if err := tx.Enqueue([]*record.Event{e}); err != nil {
				return err
			}
			return failed
		})
		if intact || !errors.Is(err, failed) || len(tx.Effects()) != 0 {
			t.Errorf("an operation that fails after it has written: intact %v, %v, effects %v",
				intact, err, kinds(tx.Effects()))
		}
		return nil
	})
}

// TestEffectsOfUnsubscribing checks the order: what is canceled comes before what else the
// transaction does to the subscription, for memory drops all that is pending at the former.
func TestEffectsOfUnsubscribing(t *testing.T) {
	f := txntest.New(t)
	subscribe(t, f, "sub", "")
	enqueue(t, f, "ev", "", "")
	list := f.Update(func(t *txn.Tx) error {
		num, was, encoded, err := t.Subs.LookUp("sub")
		if err != nil {
			return err
		}
		is := was.Clone()
		is.Status, is.URL = store.Unsubscribed, "https://example.com/other"
		_, err = t.Subs.Update(num, was, is, encoded)
		return err
	})
	want := []string{"effect.SubscriptionChanged", "effect.PendingCanceled",
		"*effect.BacklogChanged"}
	if got := kinds(list); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the effects are %v, want %v", got, want)
	}
}

// TestKeptClock checks how far behind the clock the file is after transactions that commit anyway.
func TestKeptClock(t *testing.T) {
	f := txntest.New(t)
	subscribe(t, f, "sub", "")
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

// TestFirstSince looks for times among events, also after the system's clock was set back.
func TestFirstSince(t *testing.T) {
	f := txntest.New(t)
	subscribe(t, f, "sub", "")
	start := f.Wall
	times := []int{0, 10, 20, 20, 30, 5, 15, 40} // seconds; the clock goes back before the sixth
	seqs := make([]uint64, len(times))
	for i, at := range times {
		f.Wall = start.Add(time.Duration(at) * time.Second)
		seqs[i] = enqueue(t, f, fmt.Sprintf("ev%d", i), "", "")
		if i != 4 {
			continue
		}
		for since, want := range map[int]uint64{
			-1: seqs[0], 0: seqs[0], 1: seqs[1], 20: seqs[2], 21: seqs[4], 31: seqs[4] + 1,
		} {
			checkFirstSince(t, f, start.Add(time.Duration(since)*time.Second), want)
		}
	}
	// Up to the latest time that an earlier event came after, order does not tell.
	for since, want := range map[int]uint64{0: 0, 5: 0, 30: 0, 31: seqs[7], 40: seqs[7]} {
		checkFirstSince(t, f, start.Add(time.Duration(since)*time.Second), want)
	}
}

// checkFirstSince checks the event from which on all events of a time can be.
func checkFirstSince(t *testing.T, f *txntest.File, since time.Time, want uint64) {
	t.Helper()
	f.View(func(tx *txn.Tx) error {
		got, err := tx.Events.FirstSince(since.UnixNano())
		if err != nil || got != want {
			t.Errorf("the first since %v is %d, %v, want %d", since, got, err, want)
		}
		return nil
	})
}

// TestMarkDead ends deliveries that are damaged in one of their parts.
func TestMarkDead(t *testing.T) {
	f := txntest.New(t)
	num := subscribe(t, f, "sub", "")
	seq := enqueue(t, f, "ev", "", "key")
	next := enqueue(t, f, "next", "", "key") // has a row, since it is blocked
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
		t.Errorf("of a subscription that is not there: %v", kinds(list))
	}
}

// TestOutcomeOfAnEarlierLease has a delivery requeued while an attempt of it is under way: its
// token is good only for what was claimed with it.
func TestOutcomeOfAnEarlierLease(t *testing.T) {
	f := txntest.New(t)
	num := subscribe(t, f, "sub", "")
	seq := enqueue(t, f, "ev", "", "")
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
