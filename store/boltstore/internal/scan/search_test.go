package scan_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/boltstore/internal/txn/txntest"
	"github.com/outhook/outhook/store/internal/page"
)

// TestSubscriptions lists those of tenants, one of which has a name that begins another's, in both
// directions.
func TestSubscriptions(t *testing.T) {
	f := txntest.New(t)
	byTenant := make(map[string][]string)
	var all []string
	for i := range 3 * (scan.SliceSize + 10) {
		tenant := []string{"", "a", "ab"}[i%3]
		id := fmt.Sprintf("sub%04d", i)
		f.Update(func(t *txn.Tx) error {
			_, err := t.Subs.Create(store.Subscription{ID: id, Tenant: tenant})
			return err
		})
		byTenant[tenant], all = append(byTenant[tenant], id), append(all, id)
	}
	list := func(q *store.SubscriptionQuery, from page.Cursor) (ids []string, slices int) {
		for more := true; more; slices++ {
			var slice []scan.NumberedSubscription
			f.View(func(t *txn.Tx) (err error) {
				slice, more, err = scan.Subscriptions(t, q, from, nil)
				return err
			})
			if len(slice) > scan.SliceSize {
				t.Errorf("a slice has %d subscriptions, want %d at most", len(slice),
					scan.SliceSize)
			}
			for _, s := range slice {
				ids = append(ids, s.Sub.ID)
				from = from.Pass(page.Position{Num: s.Num})
			}
		}
		return ids, slices
	}
	check := func(q *store.SubscriptionQuery, want []string) {
		t.Helper()
		got, n := list(q, page.Cursor{At: page.Start()})
		if !slices.Equal(got, want) || n < 2 {
			t.Errorf("%+v: %d in %d slices, want %d in 2 at least", q, len(got), n, len(want))
		}
		back, _ := list(q, page.Cursor{At: page.End(), Back: true})
		if slices.Reverse(back); !slices.Equal(back, want) {
			t.Errorf("%+v, backwards: %d, want %d", q, len(back), len(want))
		}
	}
	check(&store.SubscriptionQuery{AnyTenant: true}, all)
	for tenant, ids := range byTenant {
		check(&store.SubscriptionQuery{Tenant: tenant}, ids)
	}
}

// TestOldestSearch looks for what is oldest of subscriptions with chunks, rows, both and none.
func TestOldestSearch(t *testing.T) {
	x := newFixture(t, 300)
	nums := []uint64{x.nums["a1"], x.nums["a2"], x.nums["b1"], x.nums["gone"] + 1}
	want := make([]uint64, len(nums))
	for i, id := range []string{"a1", "a2", "b1"} {
		implicit := x.Memory.Implicit(nums[i], x.last)
		q := store.DeliveryQuery{
			AnyTenant: true, SubscriptionID: id, States: []store.State{store.Pending},
		}
		for _, p := range x.all(&q) { // from the newest on
			if !slices.Contains(implicit, p.at.Seq) {
				want[i] = p.at.Seq
			}
		}
		if want[i] == 0 {
			t.Fatalf("nothing of %s is pending in rows or chunks, so nothing is tested", id)
		}
	}
	for _, tick := range []time.Duration{0, time.Second} {
		o := scan.OldestSearch{Nums: nums, Found: make([]uint64, len(nums))}
		steps := 0
		for ; o.Next < len(nums); steps++ {
			if steps > 10*len(nums) {
				t.Fatal("the search has no end")
			}
			x.Tick = int64(tick)
			x.View(o.Read)
			x.Tick = 0
		}
		if !slices.Equal(o.Found, want) || (steps > 1) != (tick > 0) {
			t.Errorf("tick %v: found %v in %d steps, want %v", tick, o.Found, steps, want)
		}
	}
}
