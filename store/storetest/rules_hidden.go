package storetest

import (
	"sync"
	"time"

	"github.com/outhook/outhook/store"
)

// manyDue is more subscriptions than any store looks at in one step.
const manyDue = 1100

func hiddenRules() []rule {
	return []rule{
		{name: "behind-limits", test: testHiddenBehindLimits,
			rule: "However many subscriptions have retries due that the limits of Claim keep back, what " +
				"another has due is claimed, at once or after a Wait of zero."},
	}
}

// testHiddenBehindLimits has many failing subscriptions with a retry that is due earlier than that of a
// healthy one, under a limit for those that fail.
func testHiddenBehindLimits(c *check) {
	healthy := c.create(c.newSub("healthy.type"))
	c.enqueue(c.event("healthy.type"), c.event("healthy.type"))
	own := c.claim(10)
	equal(c, "claims of the healthy one", len(own), 2)

	c.subscribeMany(manyDue)
	c.publish(1)
	delay := 10 * c.short // more than it takes to record them all
	var retries []store.Outcome
	for claims := c.claim(1000); len(claims) > 0; claims = c.claim(1000) {
		for _, cl := range claims {
			retries = append(retries, failed(cl, delay))
		}
	}
	equal(c, "claims of the others", len(retries), manyDue)
	c.finish(retries...)
	c.finish(failed(own[0], delay+time.Millisecond), delivered(own[1]))
	c.claim(0) // what is due later is known to the store
	c.pass(delay)

	req := store.ClaimRequest{Max: 10, MaxUnhealthy: 1, MaxFailing: 1}
	for range manyDue {
		claims := c.claimWith(req)
		for _, cl := range claims.Claims {
			if cl.SubscriptionID == healthy.ID {
				return
			}
		}
		if claims.NextDue > 0 {
			c.fatalf("Claim: the due retry of a healthy subscription was not claimed, and Wait is %v", claims.NextDue)
		}
	}
	c.errorf("Claim: the due retry of a healthy subscription was not claimed in %d calls", manyDue)
}

// subscribeMany makes so many subscriptions, many at a time.
func (c *check) subscribeMany(n int) {
	subs := make(chan store.Subscription)
	var creating sync.WaitGroup
	for range 64 {
		creating.Go(func() {
			for sub := range subs {
				if _, err := c.store.CreateSubscription(c.ctx, sub); err != nil {
					c.errorf("CreateSubscription: got error %v", err)
				}
			}
		})
	}
	for range n {
		subs <- c.newSub("message.created")
	}
	close(subs)
	creating.Wait()
}
