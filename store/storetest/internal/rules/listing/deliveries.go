package listing

import (
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func deliveryRules() []check.Rule {
	return []check.Rule{
		{Name: "newest-first", Test: testNewestFirst,
			Sentence: "Deliveries lists newest first: in the reverse order of Enqueue."},
		{Name: "filters", Test: testDeliveryFilters,
			Sentence: "A DeliveryQuery selects by subscription, event, type and states."},
		{Name: "by-answer", Test: testDeliveryAnswers,
			Sentence: "A DeliveryQuery selects by key, by the class of the last error, and by the " +
				"status of the last answer."},
		{Name: "by-tag", Test: testDeliveryTags,
			Sentence: "A DeliveryQuery selects by a tag of the event, in every listing and in Requeue."},
		{Name: "since-until", Test: testSinceUntil,
			Sentence: "A DeliveryQuery selects CreatedAt in [Since, Until)."},
		{Name: "tenant", Test: testDeliveryTenant,
			Sentence: "A DeliveryQuery selects only its Tenant's deliveries, unless AnyTenant."},
		{Name: "attempts", Test: testAttempts,
			Sentence: "Attempts returns ErrNotFound for an unknown delivery, and an empty " +
				"history before the first attempt."},
	}
}

func testNewestFirst(c *check.Driver) {
	c.Subscribe()
	c.Subscribe()
	ids := append(c.Publish(3), c.Publish(2)...)
	evs := c.Messages(1)
	evs[0].Time = evs[0].Time.Add(-store.SubscribeGrace / 2)
	c.Enqueue(evs...)
	ids = append(ids, evs[0].ID)
	var want []string
	for _, id := range slices.Backward(ids) {
		want = append(want, id, id)
	}
	for _, limit := range []int{0, 1, 2, 5} {
		got := c.Deliveries(store.DeliveryQuery{Limit: limit})
		c.SameIDs(fmt.Sprintf("deliveries, %d a page", limit), check.Listed(got), want)
	}
	c.Counts(check.Delivered(c.ClaimOne()))
	c.Counts(check.Failed(c.ClaimOne(), 0))
	c.SameIDs("deliveries after attempts", check.Listed(c.Deliveries(store.DeliveryQuery{})), want)
}

func testDeliveryFilters(c *check.Driver) {
	sub := c.Subscribe()
	c.Subscribe("a.b")
	c.PublishTo("a.b", 2)
	x := c.PublishTo("a.b.c", 2)[0]
	done := false
	for _, cl := range c.Claim(100) {
		switch {
		case cl.EventID != x:
		case done:
			c.Counts(check.Dead(cl))
		default:
			c.Counts(check.Delivered(cl))
		}
	}
	for name, tc := range map[string]struct {
		q    store.DeliveryQuery
		want int
	}{
		"all":                 {store.DeliveryQuery{}, 6},
		"by subscription":     {store.DeliveryQuery{SubscriptionID: sub.ID}, 4},
		"by unknown":          {store.DeliveryQuery{SubscriptionID: c.NewSub().ID}, 0},
		"by event":            {store.DeliveryQuery{EventID: x}, 1},
		"by unknown event":    {store.DeliveryQuery{EventID: "nobody-knows-it"}, 0},
		"by type":             {store.DeliveryQuery{EventType: "a.b"}, 4},
		"by type, no pattern": {store.DeliveryQuery{EventType: "a.*"}, 0},
		"by state":            {store.DeliveryQuery{States: []store.State{store.Delivered}}, 1},
		"by states": {store.DeliveryQuery{States: []store.State{store.Delivered,
			store.Pending}}, 6},
		"by a state of none": {store.DeliveryQuery{States: []store.State{store.Canceled}}, 0},
		"by subscription, type": {store.DeliveryQuery{SubscriptionID: sub.ID, EventType: "a.b.c"},
			2},
		"by type, state": {store.DeliveryQuery{EventType: "a.b.c",
			States: []store.State{store.Pending}}, 1},
	} {
		tc.q.Limit = 1
		got := c.Deliveries(tc.q)
		check.Equal(c, "deliveries "+name, len(got), tc.want)
		for _, d := range got {
			if !tc.q.Matches(&d) {
				c.Errorf("deliveries %s: got %+v", name, d)
			}
		}
	}
}

func testDeliveryAnswers(c *check.Driver) {
	c.Subscribe()
	ids := c.Keyed("a", "b", "c", "d", "e", "f")
	claims := make(map[string]store.Claim)
	for _, cl := range c.Claim(10) {
		claims[cl.EventID] = cl
	}
	failed := func(i, status int, wrong string) {
		o := check.Failed(claims[ids[i]], c.Long)
		o.Attempt.Status, o.Attempt.Error = status, wrong
		c.Counts(o)
	}
	failed(0, 500, "http_status: 500 Internal Server Error")
	failed(1, 503, "http_status: 503 Service Unavailable")
	failed(2, 0, "timeout: no answer in time")
	failed(3, 0, "timeout")
	c.Counts(check.Delivered(claims[ids[4]]))
	c.Counts(check.Canceled(claims[ids[5]], "filtered"))
	for name, tc := range map[string]struct {
		q    store.DeliveryQuery
		want []int // newest first
	}{
		"by key":              {store.DeliveryQuery{Key: "b"}, []int{1}},
		"by a key of none":    {store.DeliveryQuery{Key: "z"}, nil},
		"by class":            {store.DeliveryQuery{ErrorClass: "timeout"}, []int{3, 2}},
		"by a part of one":    {store.DeliveryQuery{ErrorClass: "time"}, nil},
		"by a reason":         {store.DeliveryQuery{ErrorClass: "filtered"}, []int{5}},
		"by status":           {store.DeliveryQuery{LastStatus: statuses(500, 500)}, []int{0}},
		"by statuses":         {store.DeliveryQuery{LastStatus: statuses(500, 599)}, []int{1, 0}},
		"by status, no error": {store.DeliveryQuery{LastStatus: statuses(200, 200)}, []int{4}},
		"by class and status": {store.DeliveryQuery{ErrorClass: "http_status",
			LastStatus: statuses(503, 599)}, []int{1}},
		"by class and state": {store.DeliveryQuery{ErrorClass: "timeout",
			States: []store.State{store.Dead}}, nil},
	} {
		for _, limit := range []int{1, 100} {
			tc.q.Limit, tc.q.Count = limit, true
			var want []string
			for _, i := range tc.want {
				want = append(want, ids[i])
			}
			got := c.Deliveries(tc.q)
			c.SameIDs("deliveries "+name, check.Listed(got), want)
			for i := range got {
				if !tc.q.Matches(&got[i]) {
					c.Errorf("deliveries %s: got %+v", name, got[i])
				}
			}
			page, err := c.Store.Deliveries(c.Ctx(), tc.q)
			c.Must("Deliveries", err)
			check.Equal(c, "Total "+name, page.Total, len(want))
		}
	}
	n := c.Requeue(store.DeliveryQuery{ErrorClass: "filtered"})
	check.Equal(c, "requeued by class", n, 1)
	check.Equal(c, "canceled ones after that", c.InState(store.Canceled), 0)
}

func testDeliveryTags(c *check.Driver) {
	sub := c.Subscribe()
	c.Subscribe("a.b")
	evs := c.Messages(5)
	for i, tags := range [][]string{{"vip"}, nil, {"vip", "eu"}, {"vi", "p"}, {"eu"}} {
		evs[i].Type, evs[i].Tags = "a.b", tags
	}
	c.Enqueue(evs...)
	for ended := range 2 { // while it is pending, and when it has ended
		for name, tc := range map[string]struct {
			q    store.DeliveryQuery
			want []int // which of the events, newest first, each twice
		}{
			"one":     {store.DeliveryQuery{Tag: "vip"}, []int{2, 0}},
			"another": {store.DeliveryQuery{Tag: "eu"}, []int{4, 2}},
			"a part":  {store.DeliveryQuery{Tag: "vi"}, []int{3}},
			"of none": {store.DeliveryQuery{Tag: "EU"}, nil},
			"one, of any tenant": {store.DeliveryQuery{Tag: "vip", AnyTenant: true},
				[]int{2, 0}},
			"one, and an event": {store.DeliveryQuery{Tag: "vip", EventID: evs[2].ID}, []int{2}},
			"another, and an event": {store.DeliveryQuery{Tag: "p", EventID: evs[2].ID},
				nil},
		} {
			for _, limit := range []int{1, 100} {
				tc.q.Limit = limit
				var both, one []string
				for _, i := range tc.want {
					both, one = append(both, evs[i].ID, evs[i].ID), append(one, evs[i].ID)
				}
				c.SameIDs("deliveries by tag: "+name, check.Listed(c.Deliveries(tc.q)), both)
				q := tc.q
				q.SubscriptionID = sub.ID
				c.SameIDs("deliveries of one by tag: "+name, check.Listed(c.Deliveries(q)), one)
			}
		}
		if ended == 0 {
			c.Each(10, check.Delivered)
		}
	}
	check.Equal(c, "requeued by tag", c.Requeue(store.DeliveryQuery{Tag: "eu"}), 4)
	check.Equal(c, "pending after that", c.InState(store.Pending), 4)
	_, err := c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{Tag: "a b"})
	c.Invalid("Deliveries by what is no tag", err)
}

func statuses(from, to int) store.StatusRange { return store.StatusRange{From: from, To: to} }

func testSinceUntil(c *check.Driver) {
	c.Subscribe()
	var ids []string
	for range 3 {
		ids = append(ids, c.Publish(1)...)
		c.Pass(c.Short / 10)
	}
	all := c.Deliveries(store.DeliveryQuery{})
	if len(all) != 3 {
		c.Fatalf("deliveries: got %d, want 3", len(all))
	}
	middle := all[1].CreatedAt
	since := check.Listed(c.Deliveries(store.DeliveryQuery{Since: middle}))
	c.SameIDs("since the second's CreatedAt", since, []string{ids[2], ids[1]})
	until := check.Listed(c.Deliveries(store.DeliveryQuery{Until: middle}))
	c.SameIDs("until the second's CreatedAt", until, []string{ids[0]})
	both := store.DeliveryQuery{Since: middle, Until: all[0].CreatedAt}
	c.SameIDs("between the second's and the third's", check.Listed(c.Deliveries(both)),
		[]string{ids[1]})
}

func testDeliveryTenant(c *check.Driver) {
	for _, tenant := range []string{"", "one", "two"} {
		sub := c.NewSub()
		sub.Tenant = tenant
		c.Create(sub)
		ev := c.Event("message.created")
		ev.Tenant = tenant
		c.Enqueue(ev)
	}
	for _, tenant := range []string{"", "one", "two"} {
		got := c.Deliveries(store.DeliveryQuery{Tenant: tenant})
		if len(got) != 1 || got[0].Tenant != tenant {
			c.Errorf("deliveries of tenant %q: got %+v, want its own one", tenant, got)
		}
	}
	check.Equal(c, "deliveries of nobody's",
		len(c.Deliveries(store.DeliveryQuery{Tenant: "three"})), 0)
	check.Equal(c, "deliveries of any tenant",
		len(c.Deliveries(store.DeliveryQuery{Tenant: "one", AnyTenant: true})), 3)
}

func testAttempts(c *check.Driver) {
	sub := c.Subscribe("message.created")
	other := c.Subscribe("channel.updated")
	id := c.Publish(1)[0]
	check.Equal(c, "attempts before the first",
		len(c.Attempts(store.Lease{SubscriptionID: sub.ID, EventID: id})), 0)
	for _, none := range []store.Lease{
		{SubscriptionID: other.ID, EventID: id},
		{SubscriptionID: sub.ID, EventID: "nobody-knows-it"},
		{SubscriptionID: c.NewSub().ID, EventID: id},
	} {
		_, err := c.Store.Attempts(c.Ctx(), none.SubscriptionID, none.EventID)
		c.Is("Attempts of a delivery that is not there", err, store.ErrNotFound)
	}
}
