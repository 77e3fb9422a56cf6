package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/outhook/outhook/store"
)

func pageRules() []rule {
	return []rule{
		{name: "deliveries", test: testDeliveryPages,
			rule: "Following Next, and back Previous, every delivery comes once; they are empty where there is no " +
				"page."},
		{name: "limit", test: testDeliveryLimit,
			rule: "Limit is how many at most; if zero, DefaultDeliveryLimit."},
		{name: "total", test: testDeliveryTotal,
			rule: "Total is how many match on all pages, counted when the query asks for it."},
		{name: "cursor-stays", test: testDeliveryCursorStays,
			rule: "A cursor stays valid while records come and go."},
		{name: "cursor-of-another", test: testCursorOfAnother,
			rule: "A cursor given to a query with other filters is no error."},
		{name: "bad-cursor", test: testBadCursor,
			rule: "A cursor that is none is an *events.InvalidError."},
		{name: "subscriptions", test: testSubscriptionList,
			rule: "Subscriptions lists oldest first; only the Tenant's, unless AnyTenant; all of them when Limit " +
				"is zero."},
		{name: "subscription-pages", test: testSubscriptionPages,
			rule: "Following Next, and back Previous, every subscription comes once, and Total counts them all."},
		{name: "subscription-cursor-stays", test: testSubscriptionCursorStays,
			rule: "A cursor of subscriptions stays valid while they come and go."},
	}
}

// lister returns one page of a listing.
type lister func(cursor string) (ids []string, next, previous string)

// walk checks that following Next shows the items, and following Previous shows them again backwards, page by page.
func walk(c *check, size int, want []string, list lister) {
	var pages [][]string
	cursor := ""
	for range len(want) + 2 {
		ids, next, previous := list(cursor)
		if len(ids) > size {
			c.errorf("items of a page: got %d, want at most %d", len(ids), size)
		}
		if first := len(pages) == 0; first != (previous == "") {
			c.errorf("Previous of page %d: got %q", len(pages)+1, previous)
		}
		pages = append(pages, ids)
		if next != "" {
			cursor = next
			continue
		}
		c.sameIDs("forwards", slices.Concat(pages...), want)
		walkBack(c, pages, previous, list)
		return
	}
	c.fatalf("following Next: got more than %d pages of %d items", len(want)+2, len(want))
}

// walkBack checks the way back from the last of the pages.
func walkBack(c *check, pages [][]string, cursor string, list lister) {
	for i, want := range slices.Backward(pages[:len(pages)-1]) {
		ids, next, previous := list(cursor)
		c.sameIDs(fmt.Sprintf("backwards, page %d", i+1), ids, want)
		if next == "" {
			c.errorf("Next of page %d on the way back: got none", i+1)
		}
		if (i == 0) != (previous == "") {
			c.errorf("Previous of page %d on the way back: got %q", i+1, previous)
		}
		cursor = previous
	}
}

func testDeliveryPages(c *check) {
	sub := c.subscribe()
	c.subscribe()
	ids := c.publish(7)
	slices.Reverse(ids)
	for _, size := range []int{1, 3, 7, 10} {
		q := store.DeliveryQuery{SubscriptionID: sub.ID, Limit: size}
		walk(c, size, ids, func(cursor string) ([]string, string, string) {
			q.Cursor = cursor
			page, err := c.store.Deliveries(c.ctx, q)
			c.must("Deliveries", err)
			return listed(page.Items), page.Next, page.Previous
		})
	}
	page, err := c.store.Deliveries(c.ctx, store.DeliveryQuery{EventID: "nobody-knows-it"})
	c.must("Deliveries", err)
	equal(c, "cursors of an empty listing", page.Next+page.Previous, "")
}

func testDeliveryLimit(c *check) {
	c.subscribe()
	c.publish(store.DefaultDeliveryLimit + 5)
	for limit, want := range map[int]int{0: store.DefaultDeliveryLimit, 3: 3, 1000: store.DefaultDeliveryLimit + 5} {
		page, err := c.store.Deliveries(c.ctx, store.DeliveryQuery{Limit: limit})
		c.must("Deliveries", err)
		equal(c, fmt.Sprintf("deliveries with a limit of %d", limit), len(page.Items), want)
	}
}

func testDeliveryTotal(c *check) {
	c.subscribe()
	c.subscribe("channel.updated")
	c.publish(5)
	c.counts(delivered(c.claimOne()))
	for _, q := range []store.DeliveryQuery{
		{Limit: 2, Count: true},
		{Limit: 100, Count: true, States: []store.State{store.Pending}},
	} {
		page, err := c.store.Deliveries(c.ctx, q)
		c.must("Deliveries", err)
		want := 5 - len(q.States)
		equal(c, "Total", page.Total, want)
		if q.Cursor = page.Next; q.Cursor == "" {
			continue
		}
		page, err = c.store.Deliveries(c.ctx, q)
		c.must("Deliveries", err)
		equal(c, "Total on the second page", page.Total, want)
	}
}

func testDeliveryCursorStays(c *check) {
	c.subscribe()
	old := c.publish(6)
	page, err := c.store.Deliveries(c.ctx, store.DeliveryQuery{Limit: 2})
	c.must("Deliveries", err)
	for _, cl := range c.claim(6) {
		if cl.EventID == old[4] || cl.EventID == old[3] { // the last of the page and the first of the next
			c.counts(delivered(cl))
		}
	}
	c.pass(c.short)
	c.prune(store.Retention{Delivered: c.short})
	c.publish(3)
	rest := c.deliveries(store.DeliveryQuery{Limit: 2, Cursor: page.Next})
	c.sameIDs("what comes after the first page", listed(rest), []string{old[2], old[1], old[0]})
}

func testCursorOfAnother(c *check) {
	sub := c.subscribe()
	ids := c.publish(3)
	page, err := c.store.Deliveries(c.ctx, store.DeliveryQuery{Limit: 1})
	c.must("Deliveries", err)
	for _, q := range []store.DeliveryQuery{
		{SubscriptionID: sub.ID}, {EventID: ids[0]}, {EventType: "a.b"}, {AnyTenant: true}, {Tenant: "another"},
		{States: []store.State{store.Dead}},
	} {
		q.Cursor = page.Next
		_, err := c.store.Deliveries(c.ctx, q)
		c.must("Deliveries with another query's cursor", err)
	}
}

func testBadCursor(c *check) {
	c.subscribe()
	c.publish(3)
	for _, cursor := range []string{"x", "☃", "-1", "AAAA", strings.Repeat("9", 500)} {
		_, err := c.store.Deliveries(c.ctx, store.DeliveryQuery{Cursor: cursor})
		c.invalid("Deliveries", err)
		_, err = c.store.Requeue(c.ctx, store.DeliveryQuery{Cursor: cursor})
		c.invalid("Requeue", err)
		_, err = c.store.Subscriptions(c.ctx, store.SubscriptionQuery{Cursor: cursor})
		c.invalid("Subscriptions", err)
		_, _, err = c.store.Erase(c.ctx, store.EraseQuery{Cursor: cursor})
		c.invalid("Erase", err)
	}
}

func subscriptionIDs(subs []store.Subscription) []string {
	ids := make([]string, len(subs))
	for i, sub := range subs {
		ids[i] = sub.ID
	}
	return ids
}

func testSubscriptionList(c *check) {
	byTenant := make(map[string][]string)
	var all []string
	for i := range 9 {
		sub := c.newSub()
		sub.Tenant = []string{"", "one", "two"}[i%3]
		sub.ID = fmt.Sprintf("%08x-0000-4000-8000-000000000000", 100-i) // not in the order of creation
		c.create(sub)
		byTenant[sub.Tenant] = append(byTenant[sub.Tenant], sub.ID)
		all = append(all, sub.ID)
	}
	c.unsubscribe(all[3], "")
	for tenant, want := range byTenant {
		page, err := c.store.Subscriptions(c.ctx, store.SubscriptionQuery{Tenant: tenant})
		c.must("Subscriptions", err)
		c.sameIDs("subscriptions of tenant "+tenant, subscriptionIDs(page.Items), want)
		equal(c, "Total", page.Total, len(want))
	}
	page, err := c.store.Subscriptions(c.ctx, store.SubscriptionQuery{AnyTenant: true})
	c.must("Subscriptions", err)
	c.sameIDs("subscriptions of any tenant", subscriptionIDs(page.Items), all)
	equal(c, "cursors of the only page", page.Next+page.Previous, "")
}

func testSubscriptionPages(c *check) {
	var ids []string
	for range 7 {
		ids = append(ids, c.subscribe().ID)
	}
	other := c.newSub()
	other.Tenant = "another"
	c.create(other)
	for _, size := range []int{1, 3, 7, 10} {
		walk(c, size, ids, func(cursor string) ([]string, string, string) {
			page, err := c.store.Subscriptions(c.ctx, store.SubscriptionQuery{Cursor: cursor, Limit: size})
			c.must("Subscriptions", err)
			equal(c, "Total", page.Total, len(ids))
			return subscriptionIDs(page.Items), page.Next, page.Previous
		})
	}
}

func testSubscriptionCursorStays(c *check) {
	var ids []string
	for range 6 {
		ids = append(ids, c.subscribe().ID)
	}
	page, err := c.store.Subscriptions(c.ctx, store.SubscriptionQuery{Limit: 2})
	c.must("Subscriptions", err)
	for _, gone := range []int{0, 1, 2} {
		c.must("DeleteSubscription", c.store.DeleteSubscription(c.ctx, ids[gone]))
	}
	ids = append(ids, c.subscribe().ID)
	rest, err := c.store.Subscriptions(c.ctx, store.SubscriptionQuery{Cursor: page.Next})
	c.must("Subscriptions", err)
	c.sameIDs("what comes after the first page", subscriptionIDs(rest.Items), ids[3:])
}
