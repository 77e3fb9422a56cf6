package listing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func pageRules() []check.Rule {
	return []check.Rule{
		{Name: "deliveries", Test: testDeliveryPages,
			Sentence: "Following Next lists every delivery once, and so does Previous " +
				"backwards; at the ends they are empty."},
		{Name: "limit", Test: testDeliveryLimit,
			Sentence: "Limit is the maximum size of a page; zero means DefaultDeliveryLimit."},
		{Name: "total", Test: testDeliveryTotal,
			Sentence: "Total is the number of matches on all pages, if the query asks for it."},
		{Name: "cursor-stays", Test: testDeliveryCursorStays,
			Sentence: "A cursor stays valid while records come and go."},
		{Name: "cursor-of-another", Test: testCursorOfAnother,
			Sentence: "A cursor given to a query with other filters is no error."},
		{Name: "bad-cursor", Test: testBadCursor,
			Sentence: "A malformed cursor is an *events.InvalidError."},
		{Name: "cursors-tell-nothing", Test: testCursorsTellNothing,
			Sentence: "Two cursors of a tenant tell nothing of what others have published " +
				"or subscribed in between."},
		{Name: "subscriptions", Test: testSubscriptionList,
			Sentence: "Subscriptions lists oldest first; only the Tenant's, unless AnyTenant; " +
				"all of them when Limit is zero."},
		{Name: "subscription-pages", Test: testSubscriptionPages,
			Sentence: "Following Next lists every subscription once, and so does Previous " +
				"backwards; Total counts them all."},
		{Name: "subscription-filters", Test: testSubscriptionFilters,
			Sentence: "Statuses, Text and EventType select what SubscriptionQuery.Selects does, " +
				"of the tenant, and without a Total."},
		{Name: "subscription-filter-pages", Test: testSubscriptionFilterPages,
			Sentence: "Following Next lists every subscription that a filter selects once, and " +
				"so does Previous backwards; a Limit of zero is DefaultDeliveryLimit."},
		{Name: "bad-filter", Test: testBadFilter,
			Sentence: "A filter out of its bounds is an *events.InvalidError."},
		{Name: "subscription-cursor-stays", Test: testSubscriptionCursorStays,
			Sentence: "A cursor of subscriptions stays valid while they come and go."},
	}
}

// lister returns one page of a listing.
type lister func(cursor string) (ids []string, next, previous string)

// walk checks that following Next shows the items, and following Previous shows them again
// backwards, page by page.
func walk(c *check.Driver, size int, want []string, list lister) {
	var pages [][]string
	cursor := ""
	for range len(want) + 2 {
		ids, next, previous := list(cursor)
		if len(ids) > size {
			c.Errorf("items of a page: got %d, want at most %d", len(ids), size)
		}
		if first := len(pages) == 0; first != (previous == "") {
			c.Errorf("Previous of page %d: got %q", len(pages)+1, previous)
		}
		pages = append(pages, ids)
		if next != "" {
			cursor = next
			continue
		}
		c.SameIDs("forwards", slices.Concat(pages...), want)
		walkBack(c, pages, previous, list)
		return
	}
	c.Fatalf("following Next: got more than %d pages of %d items", len(want)+2, len(want))
}

// walkBack checks the way back from the last of the pages.
func walkBack(c *check.Driver, pages [][]string, cursor string, list lister) {
	for i, want := range slices.Backward(pages[:len(pages)-1]) {
		ids, next, previous := list(cursor)
		c.SameIDs(fmt.Sprintf("backwards, page %d", i+1), ids, want)
		if next == "" {
			c.Errorf("Next of page %d on the way back: got none", i+1)
		}
		if (i == 0) != (previous == "") {
			c.Errorf("Previous of page %d on the way back: got %q", i+1, previous)
		}
		cursor = previous
	}
}

func testDeliveryPages(c *check.Driver) {
	sub := c.Subscribe()
	c.Subscribe()
	ids := c.Publish(7)
	slices.Reverse(ids)
	for _, size := range []int{1, 3, 7, 10} {
		q := store.DeliveryQuery{SubscriptionID: sub.ID, Limit: size}
		walk(c, size, ids, func(cursor string) ([]string, string, string) {
			q.Cursor = cursor
			page, err := c.Store.Deliveries(c.Ctx(), q)
			c.Must("Deliveries", err)
			return check.Listed(page.Items), page.Next, page.Previous
		})
	}
	page, err := c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{EventID: "nobody-knows-it"})
	c.Must("Deliveries", err)
	check.Equal(c, "cursors of an empty listing", page.Next+page.Previous, "")
}

func testDeliveryLimit(c *check.Driver) {
	c.Subscribe()
	c.Publish(store.DefaultDeliveryLimit + 5)
	for limit, want := range map[int]int{0: store.DefaultDeliveryLimit, 3: 3,
		1000: store.DefaultDeliveryLimit + 5} {
		page, err := c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{Limit: limit})
		c.Must("Deliveries", err)
		check.Equal(c, fmt.Sprintf("deliveries with a limit of %d", limit), len(page.Items), want)
	}
}

func testDeliveryTotal(c *check.Driver) {
	c.Subscribe()
	c.Subscribe("channel.updated")
	c.Publish(5)
	c.Counts(check.Delivered(c.ClaimOne()))
	for _, q := range []store.DeliveryQuery{
		{Limit: 2, Count: true},
		{Limit: 100, Count: true, States: []store.State{store.Pending}},
	} {
		page, err := c.Store.Deliveries(c.Ctx(), q)
		c.Must("Deliveries", err)
		want := 5 - len(q.States)
		check.Equal(c, "Total", page.Total, want)
		if q.Cursor = page.Next; q.Cursor == "" {
			continue
		}
		page, err = c.Store.Deliveries(c.Ctx(), q)
		c.Must("Deliveries", err)
		check.Equal(c, "Total on the second page", page.Total, want)
	}
}

func testDeliveryCursorStays(c *check.Driver) {
	c.Subscribe()
	old := c.Publish(6)
	page, err := c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{Limit: 2})
	c.Must("Deliveries", err)
	for _, cl := range c.Claim(6) {
		// the last of the page and the first of the next
		if cl.EventID == old[4] || cl.EventID == old[3] {
			c.Counts(check.Delivered(cl))
		}
	}
	c.Pass(c.Short)
	c.Prune(store.Retention{Delivered: c.Short})
	c.Publish(3)
	rest := c.Deliveries(store.DeliveryQuery{Limit: 2, Cursor: page.Next})
	c.SameIDs("what comes after the first page", check.Listed(rest),
		[]string{old[2], old[1], old[0]})
}

func testCursorOfAnother(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Publish(3)
	page, err := c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{Limit: 1})
	c.Must("Deliveries", err)
	for _, q := range []store.DeliveryQuery{
		{SubscriptionID: sub.ID}, {EventID: ids[0]}, {EventType: "a.b"}, {AnyTenant: true},
		{Tenant: "another"},
		{States: []store.State{store.Dead}},
	} {
		q.Cursor = page.Next
		_, err := c.Store.Deliveries(c.Ctx(), q)
		c.Must("Deliveries with another query's cursor", err)
	}
}

func testBadCursor(c *check.Driver) {
	c.Subscribe()
	c.Publish(3)
	for _, cursor := range []string{"x", "☃", "-1", "AAAA", strings.Repeat("9", 500)} {
		_, err := c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{Cursor: cursor})
		c.Invalid("Deliveries", err)
		_, err = c.Store.Requeue(c.Ctx(), store.DeliveryQuery{Cursor: cursor})
		c.Invalid("Requeue", err)
		_, err = c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{Cursor: cursor})
		c.Invalid("Subscriptions", err)
		_, _, err = c.Store.Erase(c.Ctx(), store.EraseQuery{Cursor: cursor})
		c.Invalid("Erase", err)
	}
}

func testSubscriptionList(c *check.Driver) {
	byTenant := make(map[string][]string)
	var all []string
	for i := range 9 {
		sub := c.NewSub()
		sub.Tenant = []string{"", "one", "two"}[i%3]
		// not in the order of creation
		sub.ID = fmt.Sprintf("%08x-0000-4000-8000-000000000000", 100-i)
		c.Create(sub)
		c.Pass(time.Millisecond) // so that the order is known wherever tenants are
		byTenant[sub.Tenant] = append(byTenant[sub.Tenant], sub.ID)
		all = append(all, sub.ID)
	}
	c.Unsubscribe(all[3], "")
	for tenant, want := range byTenant {
		page, err := c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{Tenant: tenant})
		c.Must("Subscriptions", err)
		c.SameIDs("subscriptions of tenant "+tenant, check.SubscriptionIDs(page.Items), want)
		check.Equal(c, "Total", page.Total, len(want))
	}
	page, err := c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{AnyTenant: true})
	c.Must("Subscriptions", err)
	c.SameIDs("subscriptions of any tenant", check.SubscriptionIDs(page.Items), all)
	check.Equal(c, "cursors of the only page", page.Next+page.Previous, "")
}

func testSubscriptionPages(c *check.Driver) {
	var ids []string
	for range 7 {
		ids = append(ids, c.Subscribe().ID)
	}
	other := c.NewSub()
	other.Tenant = "another"
	c.Create(other)
	for _, size := range []int{1, 3, 7, 10} {
		walk(c, size, ids, func(cursor string) ([]string, string, string) {
			page, err := c.Store.Subscriptions(c.Ctx(),
				store.SubscriptionQuery{Cursor: cursor, Limit: size})
			c.Must("Subscriptions", err)
			check.Equal(c, "Total", page.Total, len(ids))
			return check.SubscriptionIDs(page.Items), page.Next, page.Previous
		})
	}
}

func testSubscriptionCursorStays(c *check.Driver) {
	var ids []string
	for range 6 {
		ids = append(ids, c.Subscribe().ID)
	}
	page, err := c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{Limit: 2})
	c.Must("Subscriptions", err)
	for _, gone := range []int{0, 1, 2} {
		c.Must("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx(), ids[gone]))
	}
	ids = append(ids, c.Subscribe().ID)
	rest, err := c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{Cursor: page.Next})
	c.Must("Subscriptions", err)
	c.SameIDs("what comes after the first page", check.SubscriptionIDs(rest.Items), ids[3:])
}
