package storetest

import (
	"time"

	"github.com/outhook/outhook/store"
)

func claimRules() []rule {
	return []rule{
		{name: "complete", test: testClaimComplete,
			rule: "A claim is a leased delivery with all that an attempt needs."},
		{name: "max", test: testClaimMax,
			rule: "Max is how many deliveries to lease at most; if zero or less, none are."},
		{name: "lease-positive", test: testLeasePositive,
			rule: "Lease must be positive."},
		{name: "order", test: testClaimOrder,
			rule: "First attempts of a subscription are claimed in the order in which Enqueue stored the events."},
		{name: "order-of-enqueue", test: testOrderOfEnqueue,
			rule: "The order is that of Enqueue, not of the events' times."},
		{name: "exclusive", test: testExclusive,
			rule: "Until the lease ends nobody else can claim the delivery."},
		{name: "expiry", test: testExpiry,
			rule: "When a lease runs out, somebody can claim the delivery, with a new token and uncounted."},
		{name: "expiry-order", test: testExpiryOrder,
			rule: "A first attempt whose lease ran out is still claimed in the order of Enqueue."},
		{name: "token", test: testToken,
			rule: "A token is new with every claim; a store never gives one out twice."},
		{name: "due", test: testDue,
			rule: "A delivery is claimed when it is due, and not before."},
		{name: "same-body", test: testSameBody,
			rule: "The wire body is the same bytes on every attempt."},
		{name: "numbers", test: testClaimNumbers,
			rule: "Attempt is the number of the attempt; Retry counts the attempts since it was enqueued or requeued."},
		{name: "hold", test: testHold,
			rule: "Nothing is claimed of a subscription that is held."},
	}
}

func testClaimComplete(c *check) {
	sub := c.newSub("message.*")
	sub.Tenant, sub.Name = "tenant", "name"
	sub.Headers = map[string]string{"X-One": "1"}
	sub.Secrets = append(sub.Secrets, "key")
	sub = c.create(sub)
	ev := c.event("message.created")
	ev.Tenant, ev.Key = "tenant", "k"
	c.enqueue(ev)
	cl := c.claimOne()
	c.sameSubscription("Subscription", cl.Subscription, sub)
	equal(c, "SubscriptionID", cl.SubscriptionID, sub.ID)
	equal(c, "EventID", cl.EventID, ev.ID)
	equal(c, "EventType", cl.EventType, ev.Type)
	equal(c, "Tenant", cl.Tenant, "tenant")
	equal(c, "Key", cl.Key, "k")
	equal(c, "EventTime in milliseconds", cl.EventTime.UnixMilli(), ev.Time.UnixMilli())
	equal(c, "Health", cl.Health, store.Health{})
	equal(c, "Attempt", cl.Attempt, 1)
	equal(c, "Retry", cl.Retry, 0)
	c.near("EnqueuedAt", cl.EnqueuedAt, time.Now())
	body, err := ev.Body()
	c.must("Body", err)
	equal(c, "Body", string(cl.Body), string(body))
	if cl.Token == 0 {
		c.errorf("Token: got 0, want one that the zero Lease does not have")
	}
}

func testClaimMax(c *check) {
	c.subscribe()
	c.publish(5)
	for _, none := range []int{0, -1} {
		equal(c, "claims with a Max of none", len(c.claim(none)), 0)
	}
	equal(c, "InFlight", c.stats("").InFlight, 0)
	for _, want := range []int{2, 2, 1, 0} {
		equal(c, "claims with a Max of 2", len(c.claim(2)), want)
	}
}

func testLeasePositive(c *check) {
	c.subscribe()
	c.publish(1)
	for _, lease := range []time.Duration{0, -time.Second} {
		_, err := c.store.Claim(c.ctx, store.ClaimRequest{Max: 1, Lease: lease})
		c.invalid("Claim with a lease of "+lease.String(), err)
	}
	equal(c, "claims", len(c.claim(10)), 1)
}

func testClaimOrder(c *check) {
	c.subscribe()
	want := append(c.publish(10), c.publish(1)...)
	want = append(want, c.publish(20)...)
	var got []string
	for _, n := range []int{1, 5, 12, 100} {
		got = append(got, claimed(c.claim(n))...)
	}
	c.sameIDs("claims", got, want)
}

func testOrderOfEnqueue(c *check) {
	c.subscribe()
	evs := c.messages(3)
	evs[0].Time = evs[0].Time.Add(time.Second)
	evs[2].Time = evs[2].Time.Add(-time.Second)
	evs[0].ID, evs[2].ID = evs[2].ID, evs[0].ID
	c.enqueue(evs...)
	c.sameIDs("claims", claimed(c.claim(10)), eventIDs(evs))
}

func testExclusive(c *check) {
	c.subscribe()
	c.publish(2)
	c.claimOne()
	equal(c, "claims of the rest", len(c.claim(10)), 1)
	equal(c, "claims while all are leased", len(c.claim(10)), 0)
	c.pass(c.short)
	equal(c, "claims while the leases still run", len(c.claim(10)), 0)
	equal(c, "InFlight", c.stats("").InFlight, 2)
}

func testExpiry(c *check) {
	sub := c.subscribe()
	c.publish(1)
	first := c.claimWith(store.ClaimRequest{Max: 1, Lease: c.short}).Claims
	equal(c, "claims", len(first), 1)
	c.pass(c.short)
	equal(c, "InFlight once the lease has run out", c.stats("").InFlight, 0)
	second := c.claimOne()
	equal(c, "event of the second claim", second.EventID, first[0].EventID)
	if second.Token == first[0].Token {
		c.errorf("token of the second claim: got the first's, %d", second.Token)
	}
	equal(c, "Attempt", second.Attempt, 1)
	equal(c, "attempts", len(c.attempts(second.Lease)), 0)
	equal(c, "health", c.health(sub.ID), store.Health{})
}

func testExpiryOrder(c *check) {
	c.subscribe()
	ids := c.publish(4)
	c.claimWith(store.ClaimRequest{Max: 2, Lease: c.short})
	c.pass(c.short)
	c.sameIDs("claims", claimed(c.claim(10)), ids)
}

func testToken(c *check) {
	c.subscribe()
	c.subscribe()
	c.publish(5)
	seen := make(map[uint64]bool)
	for range 5 {
		claims := c.claim(100)
		equal(c, "claims", len(claims), 10)
		for _, cl := range claims {
			if seen[cl.Token] {
				c.errorf("token %d was given out twice", cl.Token)
			}
			seen[cl.Token] = true
		}
		c.release(claims...)
	}
}

func testDue(c *check) {
	c.subscribe()
	c.publish(2)
	soon, late := c.claimOne(), c.claimOne()
	c.counts(failed(late, c.long))
	equal(c, "claims before it is due", len(c.claim(10)), 0)
	c.counts(failed(soon, c.short))
	c.pass(c.short)
	c.sameIDs("claims when the first is due", claimed(c.claim(10)), []string{soon.EventID})
}

func testSameBody(c *check) {
	c.subscribe()
	c.subscribe()
	c.publish(1)
	first := c.claim(2)
	equal(c, "claims", len(first), 2)
	for _, cl := range first {
		equal(c, "another subscription's body", string(cl.Body), string(first[0].Body))
		c.counts(failed(cl, 0))
	}
	for _, cl := range c.claim(2) {
		equal(c, "body of the second attempt", string(cl.Body), string(first[0].Body))
		equal(c, "event time of the second attempt", cl.EventTime.UnixMilli(), first[0].EventTime.UnixMilli())
	}
}

func testClaimNumbers(c *check) {
	c.subscribe()
	c.publish(1)
	for n := range 3 {
		cl := c.claimOne()
		equal(c, "Attempt", cl.Attempt, n+1)
		equal(c, "Retry", cl.Retry, n)
		equal(c, "Health.Failures", cl.Health.Failures, n)
		c.counts(failed(cl, 0))
	}
	c.counts(dead(c.claimOne()))
	c.requeue(store.DeliveryQuery{})
	cl := c.claimOne()
	equal(c, "Attempt after it was requeued", cl.Attempt, 5)
	equal(c, "Retry after it was requeued", cl.Retry, 0)
	c.counts(failed(cl, 0))
	cl = c.claimOne()
	equal(c, "Attempt after that", cl.Attempt, 6)
	equal(c, "Retry after that", cl.Retry, 1)
}

func testHold(c *check) {
	sub, brief, other := c.subscribe(), c.subscribe(), c.subscribe()
	c.publish(3)
	for _, cl := range c.claim(3) {
		switch cl.SubscriptionID {
		case sub.ID:
			c.counts(held(cl, 0, c.long))
		case brief.ID:
			c.counts(held(cl, 0, c.short))
		default:
			c.counts(delivered(cl))
		}
	}
	c.publish(1)
	c.pass(c.short)
	got := perSubscription(c.claim(100))
	equal(c, "claims of the held subscription", got[sub.ID], 0)
	equal(c, "claims of the one whose hold is over", got[brief.ID], 4)
	equal(c, "claims of the other", got[other.ID], 3)
}
