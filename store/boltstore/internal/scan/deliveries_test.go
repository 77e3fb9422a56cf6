package scan_test

import (
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
)

// list reads all that a query selects behind a boundary, and returns in how many steps.
func (x *fixture) list(q *store.DeliveryQuery, from page.Cursor) (found []placed, steps int) {
	x.t.Helper()
	r := scan.DeliveryReader{Q: q, From: from, More: true}
	x.View(func(tx *txn.Tx) (err error) {
		if q.SubscriptionID != "" {
			r.Num = x.nums[q.SubscriptionID]
		}
		if q.EventID != "" {
			tenant := q.Tenant
			if q.AnyTenant {
				tenant, err = tx.Subs.Tenant(r.Num)
			}
			if err == nil {
				r.Seq, err = tx.IDs.Find(tenant, q.EventID)
			}
		}
		return err
	})
	for r.More {
		if steps++; steps > 100_000 {
			x.t.Fatal("a listing has no end")
		}
		if r.Num != 0 && r.Seq == 0 {
			x.listImplicit(&r)
		}
		before := r.From
		x.View(r.Read)
		if r.More && r.From == before {
			x.t.Fatalf("a step of a listing stays at %+v", before)
		}
		for _, f := range r.Found {
			found = append(found, placed{f.At, f.Delivery})
		}
	}
	return found, steps
}

// listImplicit gives the reader what memory knows, in the direction of the walk.
func (x *fixture) listImplicit(r *scan.DeliveryReader) {
	first, ok := r.Edge()
	all := x.Memory.Implicit(r.Num, x.last)
	all = slices.DeleteFunc(all, func(seq uint64) bool {
		return !ok || r.From.Back && seq < first || !r.From.Back && seq > first
	})
	if !r.From.Back {
		slices.Reverse(all)
	}
	r.Implicit, r.MoreImplicit = all, len(all) > scan.SliceSize
	if r.MoreImplicit {
		r.Implicit = all[:scan.SliceSize]
	}
}

// TestDeliveries compares listings with what looking up every delivery finds: of every kind of
// query, in both directions, from the ends and from a place in the middle.
func TestDeliveries(t *testing.T) {
	const n = 900
	x := newFixture(t, n)
	at := func(i int) time.Time { return x.start.Add(time.Duration(i) * time.Second) }
	tests := []struct {
		name string
		q    store.DeliveryQuery
	}{
		{"all", store.DeliveryQuery{AnyTenant: true}},
		{"a tenant", store.DeliveryQuery{Tenant: "b"}},
		{"a subscription", store.DeliveryQuery{AnyTenant: true, SubscriptionID: "a1"}},
		{"a subscription with patterns", store.DeliveryQuery{AnyTenant: true,
			SubscriptionID: "a2"}},
		{"a subscription of another tenant", store.DeliveryQuery{Tenant: "b",
			SubscriptionID: "a1"}},
		{"a deleted subscription", store.DeliveryQuery{AnyTenant: true, SubscriptionID: "gone"}},
		{"an event", store.DeliveryQuery{Tenant: tenantOf(7), EventID: eventID(7)}},
		{"a delivery", store.DeliveryQuery{
			AnyTenant: true, EventID: eventID(3), SubscriptionID: "a1",
		}},
		{"a type", store.DeliveryQuery{AnyTenant: true, EventType: "order.paid"}},
		{"states", store.DeliveryQuery{
			AnyTenant: true, States: []store.State{store.Dead, store.Canceled},
		}},
		{"states of a subscription", store.DeliveryQuery{
			AnyTenant: true, SubscriptionID: "a1", States: []store.State{store.Pending},
		}},
		{"a time", store.DeliveryQuery{AnyTenant: true, Since: at(100), Until: at(600)}},
		{"a time of a subscription", store.DeliveryQuery{
			AnyTenant: true, SubscriptionID: "a1", Since: at(100), Until: at(600),
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x.t = t
			want := x.all(&tt.q)
			if len(want) == 0 && tt.name != "a deleted subscription" &&
				tt.name != "a subscription of another tenant" {
				t.Fatal("nothing matches, so nothing is compared")
			}
			x.compare(&tt.q, page.Cursor{At: page.Start()}, want)
			x.compare(&tt.q, page.Cursor{At: page.End(), Back: true}, reversed(want))
			middle := page.Position{Seq: x.last / 2, Num: x.nums["a2"]}
			i := slices.IndexFunc(want, func(p placed) bool { return p.at.Compare(middle) >= 0 })
			if i < 0 {
				i = len(want)
			}
			x.compare(&tt.q, page.Cursor{At: middle}, want[i:])
			x.compare(&tt.q, page.Cursor{At: middle, Back: true}, reversed(want[:i]))
		})
	}
}

// compare checks a listing.
func (x *fixture) compare(q *store.DeliveryQuery, from page.Cursor, want []placed) {
	x.t.Helper()
	got, _ := x.list(q, from)
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			x.t.Errorf("from %+v: delivery %d is %+v, want %+v", from, i, got[i], want[i])
			return
		}
	}
	if len(got) != len(want) {
		x.t.Errorf("from %+v: %d deliveries, want %d", from, len(got), len(want))
	}
}

func reversed(ps []placed) []placed {
	ps = slices.Clone(ps)
	slices.Reverse(ps)
	return ps
}

// TestListingGivesWay has a clock that is always too late for a step to go on: each step must come
// a little further nevertheless, and all of them together must miss nothing.
func TestListingGivesWay(t *testing.T) {
	x := newFixture(t, 60)
	for _, q := range []store.DeliveryQuery{
		{AnyTenant: true}, {AnyTenant: true, SubscriptionID: "a1"},
	} {
		want := x.all(&q)
		_, quick := x.list(&q, page.Cursor{At: page.Start()})
		x.Tick = int64(time.Second)
		x.compare(&q, page.Cursor{At: page.Start()}, want)
		x.compare(&q, page.Cursor{At: page.End(), Back: true}, reversed(want))
		_, slow := x.list(&q, page.Cursor{At: page.Start()})
		x.Tick = 0
		if quick != 1 || slow < len(want)/2 {
			t.Errorf("%+v: %d steps, and %d with a clock that is late, of %d deliveries",
				q, quick, slow, len(want))
		}
	}
}

// TestListingReadsLittle checks that a listing since a time ends there, unless the system's clock
// was set back.
func TestListingReadsLittle(t *testing.T) {
	x := newFixture(t, 60)
	since := x.Wall.Add(-5 * time.Second)
	q := store.DeliveryQuery{AnyTenant: true, Since: since}
	x.Tick = int64(time.Second) // so that a step is one event
	_, ordered := x.list(&q, page.Cursor{At: page.Start()})
	x.Tick = 0
	x.Wall = x.start
	x.enqueue(60, 61)
	x.compare(&q, page.Cursor{At: page.Start()}, x.all(&q))
	x.Tick = int64(time.Second)
	_, all := x.list(&q, page.Cursor{At: page.Start()})
	if ordered > 20 || all < 60 {
		t.Errorf("%d steps in order, %d after the clock was set back, want few and all", ordered,
			all)
	}
}

// TestDeliveriesOfManyChunks lists more deliveries from chunks than one step takes.
func TestDeliveriesOfManyChunks(t *testing.T) {
	x := newFixture(t, 0)
	x.enqueue(0, 6*scan.SliceSize)
	x.finishSome(0, 60)
	x.Spill(x.last - 30)
	x.finishSome(200, 300) // these have a row, and stay in their chunks
	q := store.DeliveryQuery{AnyTenant: true, SubscriptionID: "a1"}
	want := x.all(&q)
	for range 2 {
		x.compare(&q, page.Cursor{At: page.Start()}, want)
		x.compare(&q, page.Cursor{At: page.End(), Back: true}, reversed(want))
		for _, from := range []page.Cursor{{At: page.Start()}, {At: page.End(), Back: true}} {
			_, steps := x.list(&q, from)
			if steps > (len(want)+scan.SliceSize-1)/scan.SliceSize {
				t.Errorf("from %+v: %d steps for %d deliveries, want each to be full",
					from, steps, len(want))
			}
		}
		x.Spill(x.last)
	}
}
