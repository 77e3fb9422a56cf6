package scan_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/boltstore/internal/txn/txntest"
	"github.com/outhook/outhook/store/internal/page"
)

// fixture is a store file with deliveries in all states, in rows, in chunks and implicit.
type fixture struct {
	*txntest.File
	t     *testing.T
	rand  *rand.Rand
	start time.Time
	nums  map[string]uint64 // of the subscriptions, the deleted one included
	last  uint64            // the last event
}

// newFixture stores n events. a1 and a2 are subscriptions of tenant a, b1 is of tenant b, and gone
// was of tenant a.
func newFixture(t *testing.T, n int) *fixture {
	t.Helper()
	x := &fixture{
		File: txntest.New(t), t: t, rand: rand.New(rand.NewPCG(11,
			4)), nums: make(map[string]uint64),
	}
	x.start = x.Wall
	for _, id := range []string{"a1", "a2", "b1", "gone"} {
		x.Update(func(tx *txn.Tx) error {
			sub := store.Subscription{ID: id, Tenant: id[:1], Status: store.Subscribed}
			if id == "gone" {
				sub.Tenant = "a"
			}
			if id == "a2" {
				sub.Events = []string{"message.*"}
			}
			_, err := tx.Subs.Create(sub)
			if err == nil {
				x.nums[id], err = tx.Subs.Number(id)
			}
			return err
		})
	}
	for from := 0; from < n; from += 25 {
		x.enqueue(from, min(from+25, n))
		x.finishSome(from, min(from+25, n))
		if from == n/2/25*25 {
			x.Spill(x.last)
		}
	}
	x.Update(func(tx *txn.Tx) error { return tx.Subs.Delete("gone") })
	return x
}

func eventID(i int) string { return fmt.Sprintf("ev%05d", i) }

// tenantOf returns the tenant of an event.
func tenantOf(i int) string { return []string{"a", "a", "b"}[i%3] }

// enqueue stores events, a second apart.
func (x *fixture) enqueue(from, to int) {
	x.t.Helper()
	for i := from; i < to; i++ {
		e, err := record.NewEvent(events.Event{
			ID: eventID(i), Tenant: tenantOf(i), Time: x.Wall,
			Type: []string{"message.created", "order.paid"}[x.rand.IntN(2)],
			Key:  []string{"", "", "", "k"}[x.rand.IntN(4)], Payload: json.RawMessage(`{}`),
		})
		if err != nil {
			x.t.Fatal(err)
		}
		x.Wall = x.Wall.Add(time.Second)
		x.Now = x.Wall.UnixNano()
		x.Update(func(tx *txn.Tx) (err error) {
			if err = tx.Enqueue([]*record.Event{e}, nil); err == nil {
				x.last, err = tx.IDs.Find(e.Tenant, e.ID)
			}
			return err
		})
	}
}

// finishSome gives two in three deliveries of the events an outcome, if they are not blocked.
func (x *fixture) finishSome(from, to int) {
	x.t.Helper()
	states := []store.State{store.Delivered, store.Dead, store.Pending, store.Canceled}
	x.Update(func(tx *txn.Tx) error {
		for i := from; i < to; i++ {
			for _, sub := range []string{"a1", "a2", "b1", "gone"} {
				num, seq, d, ok, err := tx.LookUp(sub, eventID(i))
				if err != nil {
					return err
				}
				if !ok || d.Blocked || x.rand.IntN(3) == 0 {
					continue
				}
				o := txn.NewOutcome(store.Outcome{
					State: states[x.rand.IntN(len(states))], RetryIn: time.Hour,
				})
				o.Claimed, o.Id = true, pending.ID{Num: num, Seq: seq}
				o.KeyHash, o.AsOf = d.KeyHash, d.AsOf
				if _, err := tx.FinishDelivery(&o); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// placed is a delivery with where it stands in a listing.
type placed struct {
	at page.Position
	store.Delivery
}

// all returns the deliveries that a query selects, in the order of a listing from the newest on. It
// looks up each event for each subscription.
func (x *fixture) all(q *store.DeliveryQuery) (found []placed) {
	x.t.Helper()
	x.View(func(tx *txn.Tx) error {
		for seq := x.last; seq > 0; seq-- {
			e, err := tx.Events.Get(seq)
			if err != nil || e == nil {
				continue
			}
			for _, sub := range []string{"a1", "a2", "b1"} { // in the order of their numbers
				num, _, row, ok, err := tx.LookUp(sub, e.ID)
				if err != nil {
					return err
				}
				if !ok {
					continue
				}
				d, err := tx.Delivery(num, e, &row)
				if err != nil {
					return err
				}
				if q.Matches(&d) {
					found = append(found, placed{page.Position{Seq: seq, Num: num}, d})
				}
			}
		}
		return nil
	})
	slices.SortStableFunc(found, func(a, b placed) int { return a.at.Compare(b.at) })
	return found
}
