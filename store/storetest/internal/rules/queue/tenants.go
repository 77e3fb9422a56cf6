package queue

import (
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func tenantRules() []check.Rule {
	return []check.Rule{
		{Name: "turns", Test: testTenantTurns,
			Sentence: "Turns go by tenant first: one has no more of them for having more " +
				"subscriptions."},
		{Name: "slot-time", Test: testSlotTime,
			Sentence: "Who has used the least slot time lately comes first."},
		{Name: "per-tenant", Test: testPerTenant,
			Sentence: "At most PerTenant deliveries of a tenant are leased at once; the tenant " +
				"\"\" has no limit."},
		{Name: "per-host", Test: testPerHost,
			Sentence: "At most PerHost deliveries to a host and port are leased at once, over " +
				"all subscriptions."},
		{Name: "per-host-url", Test: testPerHostURL,
			Sentence: "PerHost goes by the present URL."},
	}
}

// ofTenant stores a subscription of a tenant.
func ofTenant(c *check.Driver, tenant string) store.Subscription {
	sub := c.NewSub()
	sub.Tenant = tenant
	return c.Create(sub)
}

// publishOf enqueues n messages of a tenant.
func publishOf(c *check.Driver, tenant string, n int) {
	evs := c.Messages(n)
	for i := range evs {
		evs[i].Tenant = tenant
	}
	c.Enqueue(evs...)
}

// perTenant counts claims.
func perTenant(claims []store.Claim) map[string]int {
	n := make(map[string]int)
	for _, cl := range claims {
		n[cl.Tenant]++
	}
	return n
}

func testTenantTurns(c *check.Driver) {
	const many = 9
	for range many {
		ofTenant(c, "many")
	}
	ofTenant(c, "one")
	publishOf(c, "many", 4)
	publishOf(c, "one", 20)
	got := perTenant(c.Claim(20))
	check.Equal(c, "claims of the tenant with many", got["many"], 10)
	check.Equal(c, "claims of the tenant with one", got["one"], 10)
}

func testSlotTime(c *check.Driver) {
	slow, quick := ofTenant(c, "slow"), ofTenant(c, "quick")
	publishOf(c, "slow", 9)
	publishOf(c, "quick", 9)
	claims := c.Claim(2)
	for _, cl := range claims {
		if cl.SubscriptionID == quick.ID {
			c.Counts(check.Delivered(cl))
		}
	}
	c.Pass(c.Short)
	for _, cl := range claims {
		if cl.SubscriptionID == slow.ID {
			c.Counts(check.Delivered(cl))
		}
	}
	got := check.PerSubscription(c.Claim(5))
	if got[quick.ID] != 5 {
		c.Errorf("claims after one of the other took %v: got %d of 5, want all", c.Short,
			got[quick.ID])
	}
}

func testPerTenant(c *check.Driver) {
	for _, tenant := range []string{"", "", "a", "a", "b"} {
		ofTenant(c, tenant)
	}
	for _, tenant := range []string{"", "a", "b"} {
		publishOf(c, tenant, 4)
	}
	req := store.ClaimRequest{Max: 100, PerTenant: 3}
	claims := c.ClaimWith(req).Claims
	got := perTenant(claims)
	for tenant, want := range map[string]int{"": 8, "a": 3, "b": 3} {
		check.Equal(c, fmt.Sprintf("claims of tenant %q", tenant), got[tenant], want)
	}
	check.Equal(c, "claims at the limit", len(c.ClaimWith(req).Claims), 0)
	for _, cl := range claims {
		if cl.Tenant == "a" {
			check.Signals(c, "a lease that ends", func() { c.Counts(check.Delivered(cl)) })
			break
		}
	}
	check.Equal(c, "claims once there is room for one", perTenant(c.ClaimWith(req).Claims)["a"], 1)
}

// at stores a subscription with a URL.
func at(c *check.Driver, url string) store.Subscription {
	sub := c.NewSub()
	sub.URL = url
	return c.Create(sub)
}

func testPerHost(c *check.Driver) {
	same := []string{
		at(c, "https://hooks.example/a").ID, at(c, "https://HOOKS.example:443/b").ID,
	}
	others := []string{at(c, "https://hooks.example:8443/a").ID, at(c, "https://other.example/").ID}
	c.Publish(4)
	req := store.ClaimRequest{Max: 100, PerHost: 3}
	claims := c.ClaimWith(req).Claims
	got := check.PerSubscription(claims)
	check.Equal(c, "claims of one host", got[same[0]]+got[same[1]], 3)
	for _, id := range others {
		check.Equal(c, "claims of another", got[id], 3)
	}
	check.Equal(c, "claims at the limit", len(c.ClaimWith(req).Claims), 0)
	for _, cl := range claims {
		if cl.SubscriptionID == same[0] || cl.SubscriptionID == same[1] {
			check.Signals(c, "a lease that ends", func() { c.Counts(check.Delivered(cl)) })
			break
		}
	}
	check.Equal(c, "claims once there is room for one", len(c.ClaimWith(req).Claims), 1)
}

func testPerHostURL(c *check.Driver) {
	moved := at(c, "https://hooks.example/a").ID
	c.Publish(4)
	req := store.ClaimRequest{Max: 100, PerHost: 2}
	check.Equal(c, "claims", len(c.ClaimWith(req).Claims), 2)
	c.Update(moved, func(s *store.Subscription) { s.URL = "https://new.example/" })
	left, found := at(c, "https://hooks.example/b").ID, at(c, "https://new.example/b").ID
	c.Publish(4)
	got := check.PerSubscription(c.ClaimWith(req).Claims)
	check.Equal(c, "claims at the host that two leases have left", got[left], 2)
	check.Equal(c, "claims at the host that they went to", got[moved]+got[found], 0)
	req.PerHost = 3
	got = check.PerSubscription(c.ClaimWith(req).Claims)
	check.Equal(c, "claims with a higher limit, at the one", got[left], 1)
	check.Equal(c, "claims with a higher limit, at the other", got[moved]+got[found], 1)
}
