package listing

import (
	"fmt"
	"slices"
	"strings"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// hooks are subscriptions that filters tell apart; each with what is special about it.
func hooks(c *check.Driver) (subs []store.Subscription) {
	for i, change := range []func(*store.Subscription){
		func(s *store.Subscription) { s.Name = "CRM of Bücher & Söhne" },
		func(s *store.Subscription) { s.URL = "https://Shop.example/Hooks?token=crm" },
		func(s *store.Subscription) { s.Events = []string{"order.*", "Push Hook"} },
		func(s *store.Subscription) { s.Status, s.DisabledReason = store.Unsubscribed, "410" },
		func(s *store.Subscription) { s.Name, s.Tenant = "crm", "another" },
		func(s *store.Subscription) { s.Headers = map[string]string{"X-Crm": "crm"} },
		func(s *store.Subscription) { s.Name, s.Status = "old crm", store.Unsubscribed },
		func(s *store.Subscription) { s.Name, s.Events = "100%_\\", []string{"message.created"} },
		func(s *store.Subscription) { s.Name, s.Status = "rests", store.Paused },
		func(s *store.Subscription) {
			s.Description, s.Metadata = "for Müller", map[string]string{"team": "a", "region": "eu"}
		},
		func(s *store.Subscription) { s.Metadata = map[string]string{"team": "a", "crm": ""} },
	} {
		sub := c.NewSub()
		sub.ID = fmt.Sprintf("%08x-0000-4000-8000-000000000000", i+1)
		sub.Name, sub.URL, sub.Events = "plain", "https://endpoint.example/", nil
		change(&sub)
		subs = append(subs, sub)
		c.Create(sub)
	}
	return subs
}

func testSubscriptionFilters(c *check.Driver) {
	subs := hooks(c)
	for _, tt := range []struct {
		q    store.SubscriptionQuery
		want []int // which of subs
	}{
		{store.SubscriptionQuery{Text: "crm"}, []int{0, 6}},
		{store.SubscriptionQuery{Text: "CRM"}, []int{0, 6}},
		{store.SubscriptionQuery{Text: "crm", AnyTenant: true}, []int{0, 4, 6}},
		{store.SubscriptionQuery{Text: "crm", Tenant: "another"}, []int{4}},
		{store.SubscriptionQuery{Text: "crm", Tenant: "nobody"}, nil},
		{store.SubscriptionQuery{Text: "BÜCHER"}, []int{0}},
		{store.SubscriptionQuery{Text: "shop.EXAMPLE/hooks"}, []int{1}},
		{store.SubscriptionQuery{Text: "token"}, nil},
		{store.SubscriptionQuery{Text: "%"}, []int{7}},
		{store.SubscriptionQuery{Text: "_\\"}, []int{7}},
		{store.SubscriptionQuery{Text: "a\x00"}, nil},
		{store.SubscriptionQuery{Statuses: []store.Status{store.Unsubscribed}}, []int{3, 6}},
		{store.SubscriptionQuery{Statuses: []store.Status{store.Unsubscribed}, Text: "crm"}, []int{6}},
		{store.SubscriptionQuery{Statuses: []store.Status{store.Paused}}, []int{8}},
		{store.SubscriptionQuery{Statuses: store.Statuses()}, []int{0, 1, 2, 3, 5, 6, 7, 8, 9, 10}},
		{store.SubscriptionQuery{EventType: "order.paid"}, []int{0, 1, 2, 3, 5, 6, 8, 9, 10}},
		{store.SubscriptionQuery{EventType: "Push Hook", Text: "plain"},
			[]int{1, 2, 3, 5, 9, 10}},
		{store.SubscriptionQuery{Text: "MÜLLER"}, []int{9}},
		{store.SubscriptionQuery{Metadata: map[string]string{"team": "a"}}, []int{9, 10}},
		{store.SubscriptionQuery{Metadata: map[string]string{"team": "a", "region": "eu"}}, []int{9}},
		{store.SubscriptionQuery{Metadata: map[string]string{"team": "A"}}, nil},
		{store.SubscriptionQuery{Metadata: map[string]string{"crm": ""}}, []int{10}},
		{store.SubscriptionQuery{Metadata: map[string]string{"team": "a"}, Text: "müller"}, []int{9}},
		{store.SubscriptionQuery{EventType: "message.created", Text: "100"}, []int{7}},
	} {
		var want []string
		for _, i := range tt.want {
			want = append(want, subs[i].ID)
		}
		page, err := c.Store.Subscriptions(c.Ctx(), tt.q)
		c.Must("Subscriptions", err)
		got := check.SubscriptionIDs(page.Items)
		if tt.q.AnyTenant { // those of one instant have no order over several stores
			slices.Sort(got)
		}
		c.SameIDs(fmt.Sprintf("subscriptions by %+v", tt.q), got, want)
		check.Equal(c, "Total by a filter", page.Total, 0)
		check.Equal(c, "TotalIsLowerBound by a filter", page.TotalIsLowerBound, true)
		for i := range page.Items {
			found := slices.IndexFunc(subs, func(s store.Subscription) bool {
				return s.ID == page.Items[i].ID
			})
			if found >= 0 {
				check.Equal(c, "Headers by a filter", len(page.Items[i].Headers), len(subs[found].Headers))
			}
		}
	}
}

func testSubscriptionFilterPages(c *check.Driver) {
	var ids []string
	for i := range 12 {
		sub := c.NewSub()
		if sub.Name = "other"; i%3 != 0 {
			sub.Name = "mine"
		}
		if sub = c.Create(sub); sub.Name == "mine" {
			ids = append(ids, sub.ID)
		}
	}
	for _, size := range []int{1, 3, 8, 10} {
		q := store.SubscriptionQuery{Text: "mine", Limit: size}
		walk(c, size, ids, func(cursor string) ([]string, string, string) {
			q.Cursor = cursor
			page, err := c.Store.Subscriptions(c.Ctx(), q)
			c.Must("Subscriptions", err)
			return check.SubscriptionIDs(page.Items), page.Next, page.Previous
		})
	}
	for range store.DefaultDeliveryLimit {
		sub := c.NewSub()
		sub.Name = "mine"
		c.Create(sub)
	}
	page, err := c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{Text: "mine"})
	c.Must("Subscriptions", err)
	check.Equal(c, "subscriptions by a filter without a limit", len(page.Items),
		store.DefaultDeliveryLimit)
}

func testBadFilter(c *check.Driver) {
	for _, q := range []store.SubscriptionQuery{
		{Text: strings.Repeat("x", store.MaxQueryText+1)}, {Statuses: []store.Status{"subscribed"}},
		{Statuses: []store.Status{""}}, {EventType: "message.*"}, {EventType: " "},
		{Metadata: map[string]string{"a b": "c"}}, {Metadata: map[string]string{"a": "\n"}},
	} {
		_, err := c.Store.Subscriptions(c.Ctx(), q)
		c.Invalid(fmt.Sprintf("Subscriptions by %.60q", fmt.Sprint(q)), err)
	}
}
