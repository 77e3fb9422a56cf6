package storetest

import (
	"fmt"

	"github.com/outhook/outhook/store"
)

func tenantRules() []rule {
	return []rule{
		{name: "turns", test: testTenantTurns,
			rule: "Turns go by tenant first: one has no more of them for having more subscriptions."},
		{name: "slot-time", test: testSlotTime,
			rule: "Who has used the least slot time lately comes first."},
		{name: "per-tenant", test: testPerTenant,
			rule: "At most PerTenant deliveries of a tenant are leased at once; the tenant \"\" has no limit."},
		{name: "per-host", test: testPerHost,
			rule: "At most PerHost deliveries to a host and port are leased at once, over all subscriptions."},
		{name: "per-host-url", test: testPerHostURL,
			rule: "PerHost goes by the present URL."},
	}
}

// ofTenant stores a subscription of a tenant.
func (c *check) ofTenant(tenant string) store.Subscription {
	sub := c.newSub()
	sub.Tenant = tenant
	return c.create(sub)
}

// publishOf enqueues n messages of a tenant.
func (c *check) publishOf(tenant string, n int) {
	evs := c.messages(n)
	for i := range evs {
		evs[i].Tenant = tenant
	}
	c.enqueue(evs...)
}

// perTenant counts claims.
func perTenant(claims []store.Claim) map[string]int {
	n := make(map[string]int)
	for _, cl := range claims {
		n[cl.Tenant]++
	}
	return n
}

func testTenantTurns(c *check) {
	const many = 9
	for range many {
		c.ofTenant("many")
	}
	c.ofTenant("one")
	c.publishOf("many", 4)
	c.publishOf("one", 20)
	got := perTenant(c.claim(20))
	equal(c, "claims of the tenant with many", got["many"], 10)
	equal(c, "claims of the tenant with one", got["one"], 10)
}

func testSlotTime(c *check) {
	slow, quick := c.ofTenant("slow"), c.ofTenant("quick")
	c.publishOf("slow", 9)
	c.publishOf("quick", 9)
	claims := c.claim(2)
	for _, cl := range claims {
		if cl.SubscriptionID == quick.ID {
			c.counts(delivered(cl))
		}
	}
	c.pass(c.short)
	for _, cl := range claims {
		if cl.SubscriptionID == slow.ID {
			c.counts(delivered(cl))
		}
	}
	got := perSubscription(c.claim(5))
	if got[quick.ID] != 5 {
		c.errorf("claims after one of the other took %v: got %d of 5, want all", c.short, got[quick.ID])
	}
}

func testPerTenant(c *check) {
	for _, tenant := range []string{"", "", "a", "a", "b"} {
		c.ofTenant(tenant)
	}
	for _, tenant := range []string{"", "a", "b"} {
		c.publishOf(tenant, 4)
	}
	req := store.ClaimRequest{Max: 100, PerTenant: 3}
	claims := c.claimWith(req).Claims
	got := perTenant(claims)
	for tenant, want := range map[string]int{"": 8, "a": 3, "b": 3} {
		equal(c, fmt.Sprintf("claims of tenant %q", tenant), got[tenant], want)
	}
	equal(c, "claims at the limit", len(c.claimWith(req).Claims), 0)
	for _, cl := range claims {
		if cl.Tenant == "a" {
			c.signals("a lease that ends", func() { c.counts(delivered(cl)) })
			break
		}
	}
	equal(c, "claims once there is room for one", perTenant(c.claimWith(req).Claims)["a"], 1)
}

// at stores a subscription with a URL.
func (c *check) at(url string) store.Subscription {
	sub := c.newSub()
	sub.URL = url
	return c.create(sub)
}

func testPerHost(c *check) {
	same := []string{
		c.at("https://hooks.example/a").ID, c.at("https://HOOKS.example:443/b").ID,
	}
	others := []string{c.at("https://hooks.example:8443/a").ID, c.at("https://other.example/").ID}
	c.publish(4)
	req := store.ClaimRequest{Max: 100, PerHost: 3}
	claims := c.claimWith(req).Claims
	got := perSubscription(claims)
	equal(c, "claims of one host", got[same[0]]+got[same[1]], 3)
	for _, id := range others {
		equal(c, "claims of another", got[id], 3)
	}
	equal(c, "claims at the limit", len(c.claimWith(req).Claims), 0)
	for _, cl := range claims {
		if cl.SubscriptionID == same[0] || cl.SubscriptionID == same[1] {
			c.signals("a lease that ends", func() { c.counts(delivered(cl)) })
			break
		}
	}
	equal(c, "claims once there is room for one", len(c.claimWith(req).Claims), 1)
}

func testPerHostURL(c *check) {
	sub := c.at("https://hooks.example/a")
	c.publish(4)
	req := store.ClaimRequest{Max: 100, PerHost: 2}
	equal(c, "claims", len(c.claimWith(req).Claims), 2)
	c.at("https://new.example/")
	c.update(sub.ID, func(s *store.Subscription) { s.URL = "https://new.example/" })
	equal(c, "claims at the new host, where two of it are leased", len(c.claimWith(req).Claims), 0)
	req.PerHost = 3
	equal(c, "claims with a higher limit", len(c.claimWith(req).Claims), 1)
}
