package scan_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/boltstore/internal/txn/txntest"
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/internal/schedule"
)

// note is what a walk says of a delivery that it keeps.
type note struct {
	seq       uint64
	delivered bool
	at        int64
}

// prune takes the steps of a round until it has ended. before is called between the reading and the
// writing of each step; it may be nil.
func (x *fixture) prune(r store.Retention, round scan.Round, before func(w *scan.PruneWalk)) (
	last scan.PruneWalk, notes map[note]bool,
) {
	x.t.Helper()
	notes = make(map[note]bool)
	for range 10_000 {
		w := scan.PruneWalk{
			Retention: r, Round: round,
			Finished: func(seq uint64, delivered bool, at int64) {
				notes[note{seq, delivered, at}] = true
			},
		}
		x.View(w.Read)
		if before != nil {
			before(&w)
		}
		if w.Blocked > x.Memory.Watermark {
			x.Spill(w.Blocked)
		}
		x.Update(func(tx *txn.Tx) error { return w.Remove(tx, len(w.Stretches) == 0) })
		if round = w.Round; len(round.Stretches) == 0 {
			return w, notes
		}
	}
	x.t.Fatal("a round has no end")
	return last, nil
}

// TestPruneWalk compares what a round through all events leaves with what is past its retention.
func TestPruneWalk(t *testing.T) {
	tests := []struct {
		name string
		r    store.Retention
		tick time.Duration // how long each look at the clock takes
	}{
		{"all is kept", store.Retention{}, 0},
		{"delivered", store.Retention{Delivered: 100 * time.Second}, 0},
		{"failed", store.Retention{Failed: 150 * time.Second}, 0},
		{"both", store.Retention{Delivered: 50 * time.Second, Failed: 200 * time.Second}, 0},
		// Outcomes are 25 seconds apart, which is more than the clock moves during the round.
		{"slowly", store.Retention{Delivered: 110 * time.Second, Failed: 60 * time.Second},
			3 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := newFixture(t, 300)
			for x.Memory.NextPurge() != nil {
				x.Update(x.Memory.NextPurge().Step)
			}
			now := x.Now
			want := x.all(&store.DeliveryQuery{AnyTenant: true})
			past := func(p placed) bool {
				keep := tt.r.Failed
				if p.State == store.Delivered {
					keep = tt.r.Delivered
				}
				finished := schedule.Nanos(p.FinishedAt)
				return p.State != store.Pending && keep > 0 && now-finished > int64(keep)
			}
			removed := len(want)
			want = slices.DeleteFunc(want, past)
			if removed -= len(want); removed == 0 && tt.name != "all is kept" {
				t.Fatal("nothing is past its retention, so nothing is tested")
			}
			x.Tick = int64(tt.tick)
			round := scan.Round{All: true, Stretches: []scan.Stretch{{From: 1, To: x.last}}}
			_, notes := x.prune(tt.r, round, nil)
			x.Tick = 0
			left := x.all(&store.DeliveryQuery{AnyTenant: true})
			if !slices.Equal(left, want) {
				t.Errorf("%d deliveries are left, want %d", len(left), len(want))
			}
			x.checkEvents(want)
			finished := make(map[note]bool)
			for _, p := range want {
				if p.State != store.Pending {
					at := schedule.Nanos(p.FinishedAt)
					finished[note{p.at.Seq, p.State == store.Delivered, at}] = true
				}
			}
			if !maps.Equal(notes, finished) {
				t.Errorf("%d finished deliveries are noted, want %d", len(notes), len(finished))
			}
		})
	}
}

// checkEvents checks that those events are left that have a delivery, and no others.
func (x *fixture) checkEvents(left []placed) {
	x.t.Helper()
	needed := make(map[uint64]bool)
	for _, p := range left {
		needed[p.at.Seq] = true
	}
	x.View(func(tx *txn.Tx) error {
		for i := range 300 {
			seq, err := tx.IDs.Find(tenantOf(i), eventID(i))
			if err != nil {
				return err
			}
			if e, err := tx.Events.Get(seq); err != nil || (e != nil) != (seq != 0) {
				x.t.Errorf("event %d is in the index as %d and stored as %+v, %v", i, seq, e, err)
			}
			if delete(needed, seq); seq == 0 {
				continue
			}
			found := false
			for _, sub := range []string{"a1", "a2", "b1"} {
				_, _, _, ok, err := tx.LookUp(sub, eventID(i))
				if err != nil {
					return err
				}
				found = found || ok
			}
			if !found {
				x.t.Errorf("event %d is left, and nothing refers to it", i)
			}
		}
		return nil
	})
	for seq := range needed {
		x.t.Errorf("event %d is gone, and has a delivery", seq)
	}
}

// TestPruneLeavesWhatWasRequeued has deliveries requeued between the two halves of a step.
func TestPruneLeavesWhatWasRequeued(t *testing.T) {
	x := newFixture(t, 60)
	r := store.Retention{Delivered: 1, Failed: 1}
	round := scan.Round{All: true, Stretches: []scan.Stretch{{From: 1, To: x.last}}}
	var again []page.Position
	x.prune(r, round, func(w *scan.PruneWalk) {
		for _, row := range w.Rows {
			again = append(again, page.Position{Num: row[0], Seq: row[1]})
		}
		x.Update(func(tx *txn.Tx) error {
			q := store.DeliveryQuery{
				AnyTenant: true, States: []store.State{store.Delivered, store.Dead, store.Canceled},
			}
			_, err := tx.Requeue(&q, again, func(page.Position) bool { return false })
			return err
		})
	})
	if len(again) == 0 {
		t.Fatal("nothing was past its retention, so nothing is tested")
	}
	x.View(func(tx *txn.Tx) error {
		for _, p := range again {
			d, ok, err := tx.Pending.Row(pending.ID{Num: p.Num, Seq: p.Seq})
			if err != nil || !ok || !d.Pending() {
				t.Errorf("%+v is %+v, %v, %v, want pending", p, d, ok, err)
			}
			if e, err := tx.Events.Get(p.Seq); e == nil || err != nil {
				t.Errorf("event %d is gone, and has a pending delivery: %v", p.Seq, err)
			}
		}
		return nil
	})
}

// TestPruneStopsAtYoungEvents checks where the reading of what is not known ends, and goes on.
func TestPruneStopsAtYoungEvents(t *testing.T) {
	x := newFixture(t, 100)
	r := store.Retention{Delivered: 40 * time.Second}
	round := scan.Round{Stretches: []scan.Stretch{{From: 1, To: x.last, Unread: true}}}
	last, _ := x.prune(r, round, nil)
	var want uint64
	x.View(func(tx *txn.Tx) (err error) {
		want, err = tx.Events.FirstSince(x.Now - int64(40*time.Second))
		return err
	})
	if last.ReadUpTo != want || want == 0 || want == x.last {
		t.Errorf("it has read up to %d, want %d, of %d", last.ReadUpTo, want, x.last)
	}
	round = scan.Round{All: true, Stretches: round.Stretches}
	if last, _ = x.prune(r, round, nil); last.ReadUpTo != x.last+1 {
		t.Errorf("a round of all has read up to %d, want %d", last.ReadUpTo, x.last+1)
	}
}

// TestEventGoesWithItsLastDelivery prunes an event with as many deliveries as one step removes, and
// one more recipient that is deleted. After each step the event must be gone, or have a delivery.
func TestEventGoesWithItsLastDelivery(t *testing.T) {
	f := txntest.New(t)
	sub := func(i int) string { return fmt.Sprintf("sub-%04d", i) }
	var seq uint64
	f.Update(func(tx *txn.Tx) error {
		for i := range txn.PruneStep + 1 {
			_, err := tx.Subs.Create(store.Subscription{ID: sub(i), Status: store.Subscribed})
			if err != nil {
				return err
			}
		}
		e, err := record.NewEvent(events.Event{
			ID: "ev", Time: f.Wall, Type: "order.paid", Payload: json.RawMessage(`{}`),
		})
		if err == nil {
			err = tx.Enqueue([]*record.Event{e}, nil)
		}
		for i := 0; err == nil && i < txn.PruneStep; i++ {
			o := txn.NewOutcome(store.Outcome{
				Lease: store.Lease{SubscriptionID: sub(i), EventID: "ev"}, State: store.Delivered,
			})
			_, err = tx.FinishDelivery(&o)
		}
		if err == nil {
			err = tx.Subs.Delete(sub(txn.PruneStep))
		}
		if err == nil {
			seq, err = tx.IDs.Find("", "ev")
		}
		return err
	})
	f.Spill(seq)
	f.Now += int64(time.Hour)
	x := &fixture{File: f, t: t}
	steps := 0
	left := func() (events, rows int) {
		f.View(func(tx *txn.Tx) error {
			events = tx.Bucket(buckets.Events).Stats().KeyN
			rows = tx.Bucket(buckets.Rows).Stats().KeyN
			return nil
		})
		return events, rows
	}
	round := scan.Round{Stretches: []scan.Stretch{{From: 1, To: seq}}}
	x.prune(store.Retention{Delivered: time.Minute}, round, func(*scan.PruneWalk) {
		steps++
		if events, rows := left(); events == 1 && rows == 0 {
			t.Errorf("before step %d the event is there without a delivery", steps)
		}
	})
	if events, rows := left(); events != 0 || rows != 0 {
		t.Errorf("after %d steps %d events and %d deliveries are left, want none", steps, events, rows)
	}
}
