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

// list reads all that a query selects behind a boundary, and returns in how many steps. It goes
// through the log, or merges the subscriptions that have it, if they can be told; Size and Left are
// as given.
func (x *fixture) list(
	q *store.DeliveryQuery, from page.Cursor, how way,
) (found []placed, steps int) {
	x.t.Helper()
	r := scan.DeliveryReader{Q: q, From: from, Size: how.size, Left: how.left, More: true}
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
		if err == nil {
			err = r.Skip(tx)
		}
		if err != nil || r.Seq != 0 || !how.merge && r.Num == 0 {
			return err
		}
		nums, ok := []uint64{r.Num}, true
		if r.Num == 0 {
			all := []uint64{x.nums["a1"], x.nums["a2"], x.nums["b1"]}
			if nums, ok, err = scan.Candidates(tx, q, all); err == nil && !ok {
				nums = all
			}
		}
		r.Merge(nums, 10)
		return err
	})
	stays := 0
	for r.More {
		if steps++; steps > 100_000 {
			x.t.Fatal("a listing has no end")
		}
		for _, s := range r.Dry() {
			x.implicit(&r, s)
		}
		before := r.From
		x.View(r.Read)
		// To begin with, each subscription is read once.
		if stays++; !r.More || r.From != before {
			stays = 0
		}
		if stays > len(x.nums) {
			x.t.Fatalf("a listing stays at %+v", before)
		}
		if how.left > 0 && r.Passed > 2*how.left {
			x.t.Errorf("a step has passed over %d records, want about %d", r.Passed, how.left)
		}
		for _, f := range r.Found {
			found = append(found, placed{f.At, f.Delivery})
		}
	}
	return found, steps
}

// way is how a reader is to go.
type way struct {
	merge      bool // the subscriptions
	size, left int
}

// implicit gives a stream what memory knows, in the direction of the walk.
func (x *fixture) implicit(r *scan.DeliveryReader, s *scan.Stream) {
	first, ok := r.Edge(s.Num)
	all := x.Memory.Implicit(s.Num, x.last)
	all = slices.DeleteFunc(all, func(seq uint64) bool {
		return !ok || r.From.Back && seq < first || !r.From.Back && seq > first
	})
	if !r.From.Back {
		slices.Reverse(all)
	}
	s.Implicit, s.MoreImplicit = all, len(all) > s.Size()
	if s.MoreImplicit {
		s.Implicit = all[:s.Size()]
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
		{"a tenant", store.DeliveryQuery{Tenant: "a"}},
		{"another tenant", store.DeliveryQuery{Tenant: "b"}},
		{"an unknown tenant", store.DeliveryQuery{Tenant: "c"}},
		{"a type of a tenant", store.DeliveryQuery{Tenant: "a", EventType: "order.paid"}},
		{"states of a tenant", store.DeliveryQuery{
			Tenant: "a", States: []store.State{store.Pending, store.Dead},
		}},
		{"delivered of a tenant", store.DeliveryQuery{
			Tenant: "a", States: []store.State{store.Delivered},
		}},
		{"pending", store.DeliveryQuery{AnyTenant: true, States: []store.State{store.Pending}}},
		{"dead", store.DeliveryQuery{AnyTenant: true, States: []store.State{store.Dead}}},
		{"canceled", store.DeliveryQuery{AnyTenant: true, States: []store.State{store.Canceled}}},
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
		{"a time of a tenant", store.DeliveryQuery{Tenant: "a", Since: at(100), Until: at(600)}},
		{"a time of a subscription", store.DeliveryQuery{
			AnyTenant: true, SubscriptionID: "a1", Since: at(100), Until: at(600),
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x.t = t
			want := x.all(&tt.q)
			if len(want) == 0 && tt.name != "a deleted subscription" &&
				tt.name != "a subscription of another tenant" && tt.name != "an unknown tenant" {
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

// compare checks a listing, in each way.
func (x *fixture) compare(q *store.DeliveryQuery, from page.Cursor, want []placed) {
	x.t.Helper()
	for _, how := range []way{
		{}, {left: 3}, {merge: true}, {merge: true, size: 7}, {merge: true, left: 3},
	} {
		got, _ := x.list(q, from, how)
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				x.t.Errorf("%+v from %+v: delivery %d is %+v, want %+v", how, from, i, got[i], want[i])
				return
			}
		}
		if len(got) != len(want) {
			x.t.Errorf("%+v from %+v: %d deliveries, want %d", how, from, len(got), len(want))
		}
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
		_, quick := x.list(&q, page.Cursor{At: page.Start()}, way{})
		x.Tick = int64(time.Second)
		x.compare(&q, page.Cursor{At: page.Start()}, want)
		x.compare(&q, page.Cursor{At: page.End(), Back: true}, reversed(want))
		_, slow := x.list(&q, page.Cursor{At: page.Start()}, way{})
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
	_, ordered := x.list(&q, page.Cursor{At: page.Start()}, way{})
	x.Tick = 0
	x.Wall = x.start
	x.enqueue(60, 61)
	x.compare(&q, page.Cursor{At: page.Start()}, x.all(&q))
	x.Tick = int64(time.Second)
	_, all := x.list(&q, page.Cursor{At: page.Start()}, way{})
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
			_, steps := x.list(&q, from, way{})
			// The first few are short, until a stream has grown to its size.
			if steps > (len(want)+scan.SliceSize-1)/scan.SliceSize+8 {
				t.Errorf("from %+v: %d steps for %d deliveries, want each to be full",
					from, steps, len(want))
			}
		}
		x.Spill(x.last)
	}
}

// TestTenantReadsItsOwn lists a tenant that has little, beside one that has much: the records that
// are looked at are its own. Dead deliveries are found without the others, too.
func TestTenantReadsItsOwn(t *testing.T) {
	x := newFixture(t, 0)
	x.enqueue(0, 900)
	x.finishSome(0, 900)
	for _, q := range []store.DeliveryQuery{
		{Tenant: "b"}, {Tenant: "c"},
		{AnyTenant: true, States: []store.State{store.Dead}},
		{Tenant: "b", States: []store.State{store.Canceled}},
		{Tenant: "a", States: []store.State{store.Pending}},
	} {
		for _, from := range []page.Cursor{{At: page.Start()}, {At: page.End(), Back: true}} {
			want := x.all(&q)
			nums, ok := []uint64(nil), false
			r := scan.DeliveryReader{Q: &q, From: from, More: true}
			x.View(func(tx *txn.Tx) (err error) {
				nums, ok, err = scan.Candidates(tx, &q, []uint64{x.nums["a1"], x.nums["b1"]})
				return err
			})
			if !ok {
				t.Fatalf("%+v: which subscriptions have it is not known", q)
			}
			r.Merge(nums, 10)
			found, passed := 0, 0
			for r.More {
				for _, s := range r.Dry() {
					x.implicit(&r, s)
				}
				x.View(r.Read)
				found, passed = found+len(r.Found), passed+r.Passed
			}
			// What has been canceled since it was implicit or packed is passed over.
			if found != len(want) || passed > 0 {
				t.Errorf("%+v from %+v: found %d and passed over %d, want %d and none", q, from, found,
					passed, len(want))
			}
		}
	}
}

// TestPassingOverAllocatesNothing looks in vain for a type, in stores of two sizes: an event that
// is passed over allocates nothing, whether it is found in the log or by a subscription, whose
// events come in pieces that do. Those who publish wait for each collection of what readers
// allocate.
func TestPassingOverAllocatesNothing(t *testing.T) {
	few, many := newFixture(t, 100), newFixture(t, 400)
	for _, q := range []store.DeliveryQuery{
		{AnyTenant: true, EventType: "rare"}, {AnyTenant: true, EventType: "rare", SubscriptionID: "a1"},
	} {
		allocs := func(x *fixture) (n float64, passed int) {
			r := scan.DeliveryReader{Q: &q}
			x.View(func(tx *txn.Tx) error {
				n = testing.AllocsPerRun(10, func() {
					r.From = page.Cursor{At: page.Start()}
					if q.SubscriptionID != "" {
						r.Num = x.nums[q.SubscriptionID]
						r.Merge([]uint64{r.Num}, 64)
						r.Dry()
					}
					if err := r.Read(tx); err != nil {
						t.Fatal(err)
					}
				})
				passed = r.Passed
				return nil
			})
			return n, passed
		}
		a, short := allocs(few)
		b, long := allocs(many)
		if long < short+100 || b > a+float64(long-short)/2 {
			t.Errorf("%+v: to pass over %d took %.0f allocations, over %d %.0f", q, short, a, long, b)
		}
	}
}

// TestListingOfADeletedSubscription deletes a subscription between two steps: from then on its
// deliveries are not there.
func TestListingOfADeletedSubscription(t *testing.T) {
	x := newFixture(t, 60)
	r := scan.DeliveryReader{
		Q: &store.DeliveryQuery{AnyTenant: true}, From: page.Cursor{At: page.Start()}, Size: 20,
		More: true,
	}
	x.View(r.Read)
	if !r.More || len(r.Found) == 0 {
		t.Fatalf("the first step has found %d, and more: %v", len(r.Found), r.More)
	}
	x.Update(func(tx *txn.Tx) error { return tx.Subs.Delete("a1") })
	for r.More {
		x.View(r.Read)
		for _, f := range r.Found {
			if f.At.Num == x.nums["a1"] {
				t.Fatalf("found %+v of a subscription that is deleted", f.Delivery)
			}
		}
	}
}
