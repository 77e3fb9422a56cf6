package queue

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func claimRules() []check.Rule {
	return []check.Rule{
		{Name: "complete", Test: testClaimComplete,
			Sentence: "A claim is a leased delivery with all that an attempt needs."},
		{Name: "max", Test: testClaimMax,
			Sentence: "Max is how many deliveries to lease at most; if zero or less, none are."},
		{Name: "lease-positive", Test: testLeasePositive,
			Sentence: "Lease must be positive."},
		{Name: "order", Test: testClaimOrder,
			Sentence: "First attempts of a subscription are claimed in the order in which " +
				"Enqueue stored the events."},
		{Name: "order-of-enqueue", Test: testOrderOfEnqueue,
			Sentence: "The order is that of Enqueue, not of the events' times."},
		{Name: "exclusive", Test: testExclusive,
			Sentence: "A leased delivery is not claimed again before its lease ends."},
		{Name: "expiry", Test: testExpiry,
			Sentence: "When a lease runs out, the delivery can be claimed again, with a new " +
				"token and the same attempt number."},
		{Name: "expiry-order", Test: testExpiryOrder,
			Sentence: "A first attempt whose lease ran out is still claimed in the order of " +
				"Enqueue."},
		{Name: "token", Test: testToken,
			Sentence: "A token is new with every claim; a store never gives one out twice."},
		{Name: "due", Test: testDue,
			Sentence: "A delivery is claimed when it is due, and not before."},
		{Name: "same-body", Test: testSameBody,
			Sentence: "The wire body is the same bytes on every attempt."},
		{Name: "numbers", Test: testClaimNumbers,
			Sentence: "Attempt is the number of the attempt; Retry counts the attempts since it " +
				"was enqueued or requeued."},
		{Name: "hold", Test: testHold,
			Sentence: "No delivery of a held subscription is claimed."},
	}
}

func testClaimComplete(c *check.Driver) {
	sub := c.NewSub("message.*")
	sub.Tenant, sub.Name = "tenant", "name"
	sub.Headers = map[string]string{"X-One": "1"}
	sub.Secrets = append(sub.Secrets, "key")
	sub = c.Create(sub)
	ev := c.Event("message.created")
	ev.Tenant, ev.Key = "tenant", "k"
	c.Enqueue(ev)
	cl := c.ClaimOne()
	c.SameSubscription("Subscription", *cl.Subscription, sub)
	check.Equal(c, "SubscriptionID", cl.SubscriptionID, sub.ID)
	check.Equal(c, "EventID", cl.EventID, ev.ID)
	check.Equal(c, "EventType", cl.EventType, ev.Type)
	check.Equal(c, "Tenant", cl.Tenant, "tenant")
	check.Equal(c, "Key", cl.Key, "k")
	check.Equal(c, "EventTime in milliseconds", cl.EventTime.UnixMilli(), ev.Time.UnixMilli())
	check.Equal(c, "Health", *cl.Health, store.Health{})
	check.Equal(c, "Attempt", cl.Attempt, 1)
	check.Equal(c, "Retry", cl.Retry, 0)
	c.Near("EnqueuedAt", cl.EnqueuedAt, time.Now())
	body, err := ev.Body()
	c.Must("Body", err)
	check.Equal(c, "Body", string(cl.Body), string(body))
	if cl.Token == 0 {
		c.Errorf("Token: got 0, want one that the zero Lease does not have")
	}
}

func testClaimMax(c *check.Driver) {
	c.Subscribe()
	c.Publish(5)
	for _, none := range []int{0, -1} {
		check.Equal(c, "claims with a Max of none", len(c.Claim(none)), 0)
	}
	check.Equal(c, "InFlight", c.Stats("").InFlight, 0)
	for _, want := range []int{2, 2, 1, 0} {
		check.Equal(c, "claims with a Max of 2", len(c.Claim(2)), want)
	}
}

func testLeasePositive(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	for _, lease := range []time.Duration{0, -time.Second} {
		_, err := c.Store.Claim(c.Ctx(), store.ClaimRequest{Max: 1, Lease: lease})
		c.Invalid("Claim with a lease of "+lease.String(), err)
	}
	check.Equal(c, "claims", len(c.Claim(10)), 1)
}

func testClaimOrder(c *check.Driver) {
	c.Subscribe()
	want := append(c.Publish(10), c.Publish(1)...)
	want = append(want, c.Publish(20)...)
	var got []string
	for _, n := range []int{1, 5, 12, 100} {
		got = append(got, check.Claimed(c.Claim(n))...)
	}
	c.SameIDs("claims", got, want)
}

func testOrderOfEnqueue(c *check.Driver) {
	c.Subscribe()
	evs := c.Messages(3)
	evs[0].Time = evs[0].Time.Add(time.Second)
	evs[2].Time = evs[2].Time.Add(-time.Second)
	evs[0].ID, evs[2].ID = evs[2].ID, evs[0].ID
	c.Enqueue(evs...)
	c.SameIDs("claims", check.Claimed(c.Claim(10)), check.EventIDs(evs))
}

func testExclusive(c *check.Driver) {
	c.Subscribe()
	c.Publish(2)
	c.ClaimOne()
	check.Equal(c, "claims of the rest", len(c.Claim(10)), 1)
	check.Equal(c, "claims while all are leased", len(c.Claim(10)), 0)
	c.Pass(c.Short)
	check.Equal(c, "claims while the leases still run", len(c.Claim(10)), 0)
	check.Equal(c, "InFlight", c.Stats("").InFlight, 2)
}

func testExpiry(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(1)
	first := c.ClaimWith(store.ClaimRequest{Max: 1, Lease: c.Short}).Claims
	check.Equal(c, "claims", len(first), 1)
	c.Pass(c.Short)
	check.Equal(c, "InFlight once the lease has run out", c.Stats("").InFlight, 0)
	second := c.ClaimOne()
	check.Equal(c, "event of the second claim", second.EventID, first[0].EventID)
	if second.Token == first[0].Token {
		c.Errorf("token of the second claim: got the first's, %d", second.Token)
	}
	check.Equal(c, "Attempt", second.Attempt, 1)
	check.Equal(c, "attempts", len(c.Attempts(second.Lease)), 0)
	check.Equal(c, "health", c.Health(sub.ID), store.Health{})
}

func testExpiryOrder(c *check.Driver) {
	c.Subscribe()
	ids := c.Publish(4)
	c.ClaimWith(store.ClaimRequest{Max: 2, Lease: c.Short})
	c.Pass(c.Short)
	c.SameIDs("claims", check.Claimed(c.Claim(10)), ids)
}

func testToken(c *check.Driver) {
	c.Subscribe()
	c.Subscribe()
	c.Publish(5)
	seen := make(map[uint64]bool)
	for range 5 {
		claims := c.Claim(100)
		check.Equal(c, "claims", len(claims), 10)
		for _, cl := range claims {
			if seen[cl.Token] {
				c.Errorf("token %d was given out twice", cl.Token)
			}
			seen[cl.Token] = true
		}
		c.Release(claims...)
	}
}

func testDue(c *check.Driver) {
	c.Subscribe()
	c.Publish(2)
	soon, late := c.ClaimOne(), c.ClaimOne()
	c.Counts(check.Failed(late, c.Long))
	check.Equal(c, "claims before it is due", len(c.Claim(10)), 0)
	c.Counts(check.Failed(soon, c.Short))
	c.Pass(c.Short)
	c.SameIDs("claims when the first is due", check.Claimed(c.Claim(10)), []string{soon.EventID})
}

func testSameBody(c *check.Driver) {
	c.Subscribe()
	c.Subscribe()
	c.Publish(1)
	first := c.Claim(2)
	check.Equal(c, "claims", len(first), 2)
	for _, cl := range first {
		check.Equal(c, "another subscription's body", string(cl.Body), string(first[0].Body))
		c.Counts(check.Failed(cl, 0))
	}
	for _, cl := range c.Claim(2) {
		check.Equal(c, "body of the second attempt", string(cl.Body), string(first[0].Body))
		check.Equal(c, "event time of the second attempt", cl.EventTime.UnixMilli(),
			first[0].EventTime.UnixMilli())
	}
}

func testClaimNumbers(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	for n := range 3 {
		cl := c.ClaimOne()
		check.Equal(c, "Attempt", cl.Attempt, n+1)
		check.Equal(c, "Retry", cl.Retry, n)
		check.Equal(c, "Health.Failures", cl.Health.Failures, n)
		c.Counts(check.Failed(cl, 0))
	}
	c.Counts(check.Dead(c.ClaimOne()))
	c.Requeue(store.DeliveryQuery{})
	cl := c.ClaimOne()
	check.Equal(c, "Attempt after it was requeued", cl.Attempt, 5)
	check.Equal(c, "Retry after it was requeued", cl.Retry, 0)
	c.Counts(check.Failed(cl, 0))
	cl = c.ClaimOne()
	check.Equal(c, "Attempt after that", cl.Attempt, 6)
	check.Equal(c, "Retry after that", cl.Retry, 1)
}

func testHold(c *check.Driver) {
	sub, brief, other := c.Subscribe(), c.Subscribe(), c.Subscribe()
	c.Publish(3)
	for _, cl := range c.Claim(3) {
		switch cl.SubscriptionID {
		case sub.ID:
			c.Counts(check.Held(cl, 0, c.Long))
		case brief.ID:
			c.Counts(check.Held(cl, 0, c.Short))
		default:
			c.Counts(check.Delivered(cl))
		}
	}
	c.Publish(1)
	c.Pass(c.Short)
	got := check.PerSubscription(c.Claim(100))
	check.Equal(c, "claims of the held subscription", got[sub.ID], 0)
	check.Equal(c, "claims of the one whose hold is over", got[brief.ID], 4)
	check.Equal(c, "claims of the other", got[other.ID], 3)
}
