package check

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// Healthy stores a subscription that is Healthy. Nothing may be due.
func Healthy(c *Driver, eventType string) store.Subscription {
	return tried(c, eventType, 1, Delivered)
}

// Failing stores a subscription with so many Failures, whose deliveries are due later than the rule
// ends. Nothing else may be due.
func Failing(c *Driver, eventType string, failures int) store.Subscription {
	return tried(c, eventType, failures, func(cl store.Claim) store.Outcome {
		return Failed(cl, c.Long)
	})
}

// tried stores a subscription that wants the type, and finishes so many attempts of it with events
// of another type.
func tried(c *Driver, eventType string, n int,
	finish func(store.Claim) store.Outcome) store.Subscription {
	own := fmt.Sprintf("tried.n%d", c.subs.Load()+1)
	sub := c.Subscribe(eventType, own)
	c.PublishTo(own, n)
	c.Each(n, finish)
	return sub
}

// Hold has n deliveries of each subscription, one of them dead with a hold, the others
// pending.
func Hold(c *Driver, n int, d time.Duration) (subs map[string]store.Health) {
	c.Publish(n)
	subs = make(map[string]store.Health)
	var rest []store.Claim
	for _, cl := range c.Claim(1000) {
		if _, held := subs[cl.SubscriptionID]; held {
			rest = append(rest, cl)
			continue
		}
		o := Dead(cl)
		o.Probe = ProbeIn(d)
		subs[cl.SubscriptionID] = *c.Counts(o).After
	}
	c.Release(rest...)
	return subs
}
