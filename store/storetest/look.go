package storetest

import (
	"slices"

	"github.com/outhook/outhook/store"
)

// maxPages ends a listing that never ends.
const maxPages = 10_000

// deliveries returns all deliveries that q selects, page by page.
func (c *check) deliveries(q store.DeliveryQuery) []store.Delivery {
	var all []store.Delivery
	for range maxPages {
		page, err := c.store.Deliveries(c.ctx, q)
		c.must("Deliveries", err)
		all = append(all, page.Items...)
		if page.Next == "" {
			return all
		}
		q.Cursor = page.Next
	}
	c.fatalf("Deliveries: the listing never ends")
	return nil
}

// everything returns all deliveries of every tenant.
func (c *check) everything() []store.Delivery {
	return c.deliveries(store.DeliveryQuery{AnyTenant: true})
}

// listed returns the IDs of the listed events.
func listed(ds []store.Delivery) []string {
	ids := make([]string, len(ds))
	for i, d := range ds {
		ids[i] = d.EventID
	}
	return ids
}

// delivery returns the delivery of an event to a subscription, which must be there.
func (c *check) delivery(subscriptionID, eventID string) store.Delivery {
	ds := c.deliveries(store.DeliveryQuery{AnyTenant: true, SubscriptionID: subscriptionID, EventID: eventID})
	if len(ds) != 1 {
		c.fatalf("Deliveries of %s for %s: got %d, want 1", eventID, subscriptionID, len(ds))
	}
	return ds[0]
}

// state checks the state of a claim's delivery and returns the delivery.
func (c *check) state(l store.Lease, want store.State) store.Delivery {
	d := c.delivery(l.SubscriptionID, l.EventID)
	equal(c, "state of "+l.EventID, d.State, want)
	return d
}

// attempts returns the history of a claim's delivery, which must be there.
func (c *check) attempts(l store.Lease) []store.Attempt {
	attempts, err := c.store.Attempts(c.ctx, l.SubscriptionID, l.EventID)
	c.must("Attempts", err)
	return attempts
}

// stats returns the figures of a subscription, or of the store.
func (c *check) stats(id string) store.Stats {
	stats, err := c.store.Stats(c.ctx, id)
	c.must("Stats", err)
	return stats
}

// health returns the health of a subscription.
func (c *check) health(id string) store.Health { return c.stats(id).Health }

// requeue requeues all that q selects and returns how many changed.
func (c *check) requeue(q store.DeliveryQuery) int {
	n, _ := c.requeueAll(q)
	return n
}

// requeueAll requeues all that q selects. It returns how many changed, and which subscriptions were
// held, in order.
func (c *check) requeueAll(q store.DeliveryQuery) (n int, held []string) {
	for range maxPages {
		r, err := c.store.Requeue(c.ctx, q)
		c.must("Requeue", err)
		n += r.Requeued
		held = append(held, r.Held...)
		if r.Next == "" {
			slices.Sort(held)
			return n, slices.Compact(held)
		}
		q.Cursor = r.Next
	}
	c.fatalf("Requeue: the listing never ends")
	return 0, nil
}

// prune prunes until there is no more to do.
func (c *check) prune(r store.Retention) {
	for range maxPages {
		more, err := c.store.Prune(c.ctx, r)
		c.must("Prune", err)
		if !more {
			return
		}
	}
	c.fatalf("Prune: there is always more to do")
}
