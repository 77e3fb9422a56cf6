package queue

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// manyDue is more subscriptions than any store looks at in one step.
const manyDue = 1100

func hiddenRules() []check.Rule {
	return []check.Rule{
		{Name: "behind-limits", Test: testHiddenBehindLimits,
			Sentence: "However many subscriptions the limits hold back, a due delivery of " +
				"another one is claimed, at once or after a NextDue of zero."},
	}
}

// testHiddenBehindLimits has many failing subscriptions with a retry that is due earlier than that
// of a healthy one, under a limit for those that fail.
func testHiddenBehindLimits(c *check.Driver) {
	healthy := c.Create(c.NewSub("healthy.type"))
	c.Enqueue(c.Event("healthy.type"), c.Event("healthy.type"))
	own := c.Claim(10)
	check.Equal(c, "claims of the healthy one", len(own), 2)

	subscribeMany(c, manyDue)
	c.Publish(1)
	delay := 10 * c.Short // more than it takes to record them all
	var retries []store.Outcome
	for claims := c.Claim(1000); len(claims) > 0; claims = c.Claim(1000) {
		for _, cl := range claims {
			retries = append(retries, check.Failed(cl, delay))
		}
	}
	check.Equal(c, "claims of the others", len(retries), manyDue)
	c.Finish(retries...)
	c.Finish(check.Failed(own[0], delay+time.Millisecond), check.Delivered(own[1]))
	c.Claim(0) // what is due later is known to the store
	c.Pass(delay)

	req := store.ClaimRequest{Max: 10, MaxUnhealthy: 1, MaxFailing: 1}
	for range manyDue {
		claims := c.ClaimWith(req)
		for _, cl := range claims.Claims {
			if cl.SubscriptionID == healthy.ID {
				return
			}
		}
		if claims.NextDue > 0 {
			c.Fatalf("Claim: the due retry of a healthy subscription was not claimed, "+
				"and NextDue is %v", claims.NextDue)
		}
	}
	c.Errorf("Claim: the due retry of a healthy subscription was not claimed in %d calls", manyDue)
}

// subscribeMany makes so many subscriptions.
func subscribeMany(c *check.Driver, n int) {
	subs := make([]store.Subscription, n)
	for i := range subs {
		subs[i] = c.NewSub("message.created")
	}
	check.InParallel(c, n, func(i int) error {
		_, err := c.Store.CreateSubscription(c.Ctx(), subs[i])
		return err
	})
}
