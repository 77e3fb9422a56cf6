package listing

import (
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// messages is more than a store may pass over for one page, also if it passes over half of them,
// and more than store.MaxTotal.
const (
	messages = 11_000
	batch    = 500
)

func shortPageRules() []check.Rule {
	return []check.Rule{
		{Name: "short", Test: testShortPages,
			Sentence: "However few deliveries match, and whatever the filter, following the cursors " +
				"lists each once, in both directions; a page may be short or empty."},
		{Name: "searched", Test: testSearched,
			Sentence: "A page that is short and has a cursor says how far it has searched: " +
				"SearchedTo is not before what the next page has, nor after what it has itself. On " +
				"other pages it is zero."},
		{Name: "counted-to", Test: testCountedTo,
			Sentence: "Total is at most MaxTotal; TotalIsLowerBound says whether there may be more."},
	}
}

// longHistory is more than a store reads for one page.
type longHistory struct {
	sub        store.Subscription // gets messages and rare events; another one gets rare events alone
	rare, dead []string           // the rare events, and those that are dead for sub; newest first
}

// newLongHistory enqueues rare events among many messages, of which every second is another
// tenant's.
func newLongHistory(c *check.Driver) (h longHistory) {
	h.sub = c.Subscribe("message.created", "rare.event")
	c.Subscribe("rare.event")
	other := c.NewSub("message.created")
	other.Tenant = "another"
	c.Create(other)
	for i := range 3 {
		h.rare = append(h.rare, c.PublishTo("rare.event", 2)...)
		if i == 0 {
			for _, cl := range c.Claim(4) {
				if cl.SubscriptionID == h.sub.ID {
					c.Counts(check.Dead(cl))
					h.dead = append(h.dead, cl.EventID)
				}
			}
		}
		if i == 2 {
			break // the newest are rare
		}
		for range messages / 2 / batch {
			evs := c.Messages(batch)
			for i := range evs {
				if i%2 == 0 {
					evs[i].Tenant = other.Tenant
				}
			}
			c.Enqueue(evs...)
		}
	}
	slices.Reverse(h.rare)
	slices.Reverse(h.dead)
	return h
}

func testShortPages(c *check.Driver) {
	h := newLongHistory(c)
	var twice []string
	for _, id := range h.rare {
		twice = append(twice, id, id)
	}
	dead := []store.State{store.Dead}
	for name, tc := range map[string]struct {
		q    store.DeliveryQuery
		want []string
	}{
		"of a type":             {store.DeliveryQuery{EventType: "rare.event"}, twice},
		"of a type, any tenant": {store.DeliveryQuery{AnyTenant: true, EventType: "rare.event"}, twice},
		"of a subscription and a type": {
			store.DeliveryQuery{SubscriptionID: h.sub.ID, EventType: "rare.event"}, h.rare,
		},
		"of a type that there is not":  {store.DeliveryQuery{EventType: "nobody.publishes"}, nil},
		"of a tenant that has nothing": {store.DeliveryQuery{Tenant: "nobody"}, nil},
		"dead":                         {store.DeliveryQuery{States: dead}, h.dead},
		"dead, any tenant":             {store.DeliveryQuery{AnyTenant: true, States: dead}, h.dead},
		"canceled, any tenant": {
			store.DeliveryQuery{AnyTenant: true, States: []store.State{store.Canceled}}, nil,
		},
	} {
		for _, limit := range []int{3, 100} {
			tc.q.Limit = limit
			both(c, fmt.Sprintf("%s, %d a page", name, limit), tc.q, tc.want)
		}
	}
}

// both checks a listing forward, and back from its last page.
func both(c *check.Driver, what string, q store.DeliveryQuery, want []string) {
	q.Cursor = ""
	forward, last := check.Follow(c, q, true)
	c.SameIDs(what+", forward", check.Listed(forward), want)
	if q.Cursor = last.Previous; q.Cursor == "" {
		return
	}
	back, first := check.Follow(c, q, false)
	back = append(back, last.Items...)
	c.SameIDs(what+", back", check.Listed(back), want)
	if first.Previous != "" || last.Next != "" {
		c.Errorf("%s: got %q before the first page and %q after the last, want none", what,
			first.Previous, last.Next)
	}
}

func testSearched(c *check.Driver) {
	newLongHistory(c)
	all := c.Deliveries(store.DeliveryQuery{AnyTenant: true, Limit: 1000})
	newest, oldest := all[0].CreatedAt, all[len(all)-1].CreatedAt
	q := store.DeliveryQuery{AnyTenant: true, EventType: "nobody.publishes", Limit: 10}
	last, stops := newest, 0
	for range check.MaxPages {
		page, err := c.Store.Deliveries(c.Ctx(), q)
		c.Must("Deliveries", err)
		if page.Next == "" {
			check.Equal(c, "SearchedTo of the last page", page.SearchedTo.IsZero(), true)
			break
		}
		stops++
		if to := page.SearchedTo; to.After(last) || to.Before(oldest) {
			c.Errorf("SearchedTo: got %v, want a time from %v to %v", to, oldest, last)
		}
		last, q.Cursor = page.SearchedTo, page.Next
	}
	if !c.Shards && stops == 0 {
		c.Errorf("pages that stopped: got none, want some of %d deliveries", len(all))
	}
	full, err := c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{AnyTenant: true, Limit: 10})
	c.Must("Deliveries", err)
	check.Equal(c, "SearchedTo of a full page", full.SearchedTo.IsZero(), true)
}

func testCountedTo(c *check.Driver) {
	h := newLongHistory(c)
	for name, tc := range map[string]struct {
		q   store.DeliveryQuery
		all int // how many match
	}{
		"of any tenant": {store.DeliveryQuery{AnyTenant: true}, messages + 12},
		"of a tenant":   {store.DeliveryQuery{}, messages/2 + 12},
		"of a type":     {store.DeliveryQuery{EventType: "rare.event"}, 12},
		"of a subscription and a type": {
			store.DeliveryQuery{SubscriptionID: h.sub.ID, EventType: "rare.event"}, 6,
		},
		"of a tenant that has nothing": {store.DeliveryQuery{Tenant: "nobody"}, 0},
	} {
		tc.q.Count, tc.q.Limit = true, 1
		page, err := c.Store.Deliveries(c.Ctx(), tc.q)
		c.Must("Deliveries", err)
		got, atLeast := page.Total, page.TotalIsLowerBound
		if got > store.MaxTotal || got > tc.all || got < tc.all && !atLeast {
			c.Errorf("Total %s: got %d, a lower bound: %v, want %d, or less as a lower bound", name, got,
				atLeast, min(tc.all, store.MaxTotal))
		}
	}
}
