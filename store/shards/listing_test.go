package shards_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

// TestListingsAreMerged lists what three stores have, in pages of each size, forward and back
// again. It has each item once, in the order of their times.
func TestListingsAreMerged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inMemory(t, 3)
		defer s.Close()
		var subs, deliveries []string
		tenants := []string{"", "a", "bb", "a", "a", "", "", "bb", "a", "a", "a", "bb", "", ""}
		for i, tenant := range tenants {
			sub := store.Subscription{
				ID:     fmt.Sprintf("5ab5c81b-0000-4000-8000-%012x", 100-i), // not in the order of creation
				Tenant: tenant, URL: "https://endpoint.example/", Events: []string{fmt.Sprint("own.n", i)},
				Status: store.Subscribed,
			}
			if _, err := s.CreateSubscription(t.Context(), sub); err != nil {
				t.Fatal(err)
			}
			ev := events.Event{ID: fmt.Sprint("event-", 100-i), Type: sub.Events[0], Tenant: tenant,
				Time: time.Now(), Payload: []byte("{}")}
			if err := s.Enqueue(t.Context(), ev); err != nil {
				t.Fatal(err)
			}
			subs, deliveries = append(subs, sub.ID), append(deliveries, ev.ID)
			<-time.After(time.Second)
		}
		slices.Reverse(deliveries)
		for size := 1; size <= 16; size++ {
			walkPages(t, fmt.Sprint("subscriptions by ", size), size, subs,
				func(cursor string) (store.Page[string], error) {
					q := store.SubscriptionQuery{AnyTenant: true, Cursor: cursor, Limit: size}
					found, err := s.Subscriptions(t.Context(), q)
					return page.Map(found, func(sub *store.Subscription) string { return sub.ID }), err
				})
			walkPages(t, fmt.Sprint("deliveries by ", size), size, deliveries,
				func(cursor string) (store.Page[string], error) {
					q := store.DeliveryQuery{AnyTenant: true, Cursor: cursor, Limit: size, Count: true}
					found, err := s.Deliveries(t.Context(), q)
					return page.Map(found, func(d *store.Delivery) string { return d.EventID }), err
				})
		}
	})
}

// walkPages goes through a listing to its end, back to its start, and to its end again.
func walkPages(
	t *testing.T, what string, size int, want []string,
	list func(cursor string) (store.Page[string], error),
) {
	t.Helper()
	get := func(cursor string) store.Page[string] {
		p, err := list(cursor)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if len(p.Items) > size || p.Total != len(want) {
			t.Fatalf("%s: got %d items, and %d in all, want at most %d, and %d", what, len(p.Items),
				p.Total, size, len(want))
		}
		return p
	}
	var pages [][]string
	at := get("")
	if at.Previous != "" {
		t.Errorf("%s: the first page has a Previous", what)
	}
	for pages = append(pages, at.Items); at.Next != ""; pages = append(pages, at.Items) {
		at = get(at.Next)
	}
	if got := slices.Concat(pages...); !slices.Equal(got, want) {
		t.Fatalf("%s, forward:\ngot  %s\nwant %s", what, strings.Join(got, " "), strings.Join(want, " "))
	}
	for range 2 {
		for i := len(pages) - 2; i >= 0; i-- {
			at = get(at.Previous)
			if !slices.Equal(at.Items, pages[i]) || at.Next == "" {
				t.Fatalf("%s, back to page %d: got %q, want %q, and a Next", what, i, at.Items, pages[i])
			}
		}
		if at.Previous != "" && len(pages) > 1 {
			t.Errorf("%s: the first page has a Previous on the way back", what)
		}
		for i := 1; i < len(pages); i++ {
			at = get(at.Next)
			if !slices.Equal(at.Items, pages[i]) {
				t.Fatalf("%s, again to page %d: got %q, want %q", what, i, at.Items, pages[i])
			}
		}
	}
}

// TestCursorStays deletes and adds on both sides of a boundary between pages of several stores.
func TestCursorStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		var subs []store.Subscription
		for i := range 10 {
			subs = append(subs, p.subscribe([]string{"sick", "well"}[i%2]))
			<-time.After(time.Second)
		}
		first, err := p.Subscriptions(t.Context(), store.SubscriptionQuery{AnyTenant: true, Limit: 5})
		if err != nil {
			t.Fatal(err)
		}
		for _, gone := range []int{1, 4, 5} { // 4 is the last of the page, 5 the first after it
			if err := p.DeleteSubscription(t.Context(), subs[gone].ID); err != nil {
				t.Fatal(err)
			}
		}
		rest, err := p.Subscriptions(t.Context(),
			store.SubscriptionQuery{AnyTenant: true, Cursor: first.Next})
		if err != nil {
			t.Fatal(err)
		}
		var got, want []string
		for _, sub := range rest.Items {
			got = append(got, sub.ID)
		}
		for _, sub := range subs[6:] {
			want = append(want, sub.ID)
		}
		p.equal("what comes after the first page", got, want)
	})
}

// TestListingOfARareType lists what three stores have of a type that few events are of. A call
// passes over a bounded number of records of all of them together, so many calls are needed, each
// with a cursor; and what is found is found once.
func TestListingOfARareType(t *testing.T) {
	const each = 2 * page.Budget
	for name, s := range map[string]closing{
		"memory": inMemory(t, 3), "files": inFiles(t, 3, t.TempDir()),
	} {
		t.Run(name, func(t *testing.T) {
			defer s.Close()
			var want []string
			for i, tenant := range []string{"", "a", "bb"} {
				sub := store.Subscription{ID: fmt.Sprintf("5ab5c81b-0000-4000-8000-%012x", i),
					Tenant: tenant, URL: "https://endpoint.example/", Status: store.Subscribed}
				if _, err := s.CreateSubscription(t.Context(), sub); err != nil {
					t.Fatal(err)
				}
				var evs []events.Event
				for n := range each {
					ev := events.Event{ID: fmt.Sprintf("%06d", n), Type: "common.type", Tenant: tenant,
						Time: time.Now(), Payload: []byte("{}")}
					if n == each/2 {
						ev.Type = "rare.type"
						want = append(want, tenant)
					}
					evs = append(evs, ev)
				}
				for part := range slices.Chunk(evs, 1000) {
					if err := s.Enqueue(t.Context(), part...); err != nil {
						t.Fatal(err)
					}
				}
			}
			q := store.DeliveryQuery{AnyTenant: true, EventType: "rare.type"}
			var got []string
			pages := 0
			for more := true; more; more = q.Cursor != "" {
				found, err := s.Deliveries(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, d := range found.Items {
					got = append(got, d.Tenant)
				}
				q.Cursor = found.Next
				pages++
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("found events of the tenants %q, want %q", got, want)
			}
			// A page that has room for all three passes over a sixth of the budget in each store. A
			// file's steps may go a little further.
			if least := 3 * each / page.Budget; pages < least {
				t.Errorf("%d pages have passed over %d records, want %d pages at least", pages, 3*each,
					least)
			}
		})
	}
}
