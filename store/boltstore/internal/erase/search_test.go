package erase

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/boltstore/internal/txn/txntest"
	"github.com/outhook/outhook/store/internal/page"
)

// twoTenants returns a file with n events, of which tenant b has each third and tenant a the rest.
// The fourth event is damaged.
func twoTenants(t *testing.T, n int) (f *txntest.File, ofA []uint64) {
	t.Helper()
	f = txntest.New(t)
	f.Update(func(tx *txn.Tx) error {
		for _, tenant := range []string{"a", "b"} {
			_, err := tx.Subs.Create(store.Subscription{
				ID: "sub-" + tenant, Tenant: tenant, Status: store.Subscribed,
			})
			if err != nil {
				return err
			}
		}
		for i := range n {
			e, err := record.NewEvent(events.Event{
				ID: fmt.Sprint(i), Tenant: []string{"a", "a", "b"}[i%3], Time: f.Wall,
				Type: "order.paid", Payload: json.RawMessage(`{}`),
			})
			if err == nil {
				err = tx.Enqueue([]*record.Event{e})
			}
			if err != nil {
				return err
			}
			if seq := uint64(i) + 1; i%3 != 2 && seq != 4 {
				ofA = append(ofA, seq)
			}
		}
		return nil
	})
	key := record.Key1(4)
	f.Damage(buckets.Events, key[:])
	return f, ofA
}

// TestSearch finds the events of a tenant, a page at a time, also with a clock that is always too
// late for a step to go on.
func TestSearch(t *testing.T) {
	const n = 60
	for _, tick := range []time.Duration{0, time.Second} {
		x, want := twoTenants(t, n)
		var got []uint64
		cursor, pages, steps := "", 0, 0
		for next := true; next; next = cursor != "" {
			step, err := page.Collect[uint64](cursor, 7, 7)
			if err != nil {
				t.Fatal(err)
			}
			f := search{tenant: "a", step: step, from: step.Cursor().At.Num}
			for more := true; more; steps++ {
				if steps > 10*n {
					t.Fatal("the search has no end")
				}
				x.Tick = int64(tick)
				x.View(func(t *txn.Tx) (err error) {
					more, err = f.read(t)
					return err
				})
				x.Tick = 0
			}
			got, cursor = append(got, step.Items()...), step.Next(false)
			pages++
		}
		if !slices.Equal(got, want) || pages != (len(want)+6)/7 || (steps > pages) != (tick > 0) {
			t.Errorf("tick %v: found %v in %d pages and %d steps, want %v", tick, got, pages, steps,
				want)
		}
	}
}
