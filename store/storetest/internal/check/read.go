package check

import (
	"slices"

	"github.com/outhook/outhook/store"
)

// MaxPages ends a listing that never ends.
const MaxPages = 10_000

// Deliveries returns all deliveries that q selects, page by page.
func (c *Driver) Deliveries(q store.DeliveryQuery) []store.Delivery {
	var all []store.Delivery
	for range MaxPages {
		page, err := c.Store.Deliveries(c.Ctx(), q)
		c.Must("Deliveries", err)
		all = append(all, page.Items...)
		if page.Next == "" {
			return all
		}
		q.Cursor = page.Next
	}
	c.Fatalf("Deliveries: the listing never ends")
	return nil
}

// Follow returns all deliveries that q selects from its cursor on, in the order of the listing:
// forward or back, page by page. It returns the last page that it has read, too.
func Follow(
	c *Driver, q store.DeliveryQuery, forward bool,
) (all []store.Delivery, last store.Page[store.Delivery]) {
	for range MaxPages {
		page, err := c.Store.Deliveries(c.Ctx(), q)
		c.Must("Deliveries", err)
		if q.Cursor = page.Previous; forward {
			all, q.Cursor = append(all, page.Items...), page.Next
		} else {
			all = append(page.Items, all...)
		}
		if last = page; q.Cursor == "" {
			return all, last
		}
	}
	c.Fatalf("Deliveries: the listing never ends")
	return nil, last
}

// Everything returns all deliveries of every tenant.
func (c *Driver) Everything() []store.Delivery {
	return c.Deliveries(store.DeliveryQuery{AnyTenant: true})
}

// Listed returns the IDs of the listed events.
func Listed(ds []store.Delivery) []string {
	ids := make([]string, len(ds))
	for i, d := range ds {
		ids[i] = d.EventID
	}
	return ids
}

// Delivery returns the delivery of an event to a subscription, which must be there; with no
// subscription, that of the only one which has an event of the tenant "".
func (c *Driver) Delivery(subscriptionID, eventID string) store.Delivery {
	ds := c.Deliveries(store.DeliveryQuery{AnyTenant: subscriptionID != "",
		SubscriptionID: subscriptionID, EventID: eventID})
	if len(ds) != 1 {
		c.Fatalf("Deliveries of %s for %s: got %d, want 1", eventID, subscriptionID, len(ds))
	}
	return ds[0]
}

// State checks the state of a claim's delivery and returns the delivery.
func (c *Driver) State(l store.Lease, want store.State) store.Delivery {
	d := c.Delivery(l.SubscriptionID, l.EventID)
	Equal(c, "state of "+l.EventID, d.State, want)
	return d
}

// Attempts returns the history of a claim's delivery, which must be there.
func (c *Driver) Attempts(l store.Lease) []store.Attempt {
	attempts, err := c.Store.Attempts(c.Ctx(), l.SubscriptionID, l.EventID)
	c.Must("Attempts", err)
	return attempts
}

// Stats returns the figures of a subscription, or of the store.
func (c *Driver) Stats(id string) store.Stats {
	stats, err := c.Store.Stats(c.Ctx(), id)
	c.Must("Stats", err)
	return stats
}

// Figures returns the figures that a query asks for.
func (c *Driver) Figures(q store.FiguresQuery) store.Figures {
	f, err := c.Store.Figures(c.Ctx(), q)
	c.Must("Figures", err)
	return f
}

// CountPending returns how many deliveries of a tenant are pending, limit at most.
func (c *Driver) CountPending(tenant string, limit int) int {
	n, err := c.Store.CountPending(c.Ctx(), tenant, limit)
	c.Must("CountPending", err)
	return n
}

// Health returns the health of a subscription.
func (c *Driver) Health(id string) store.Health { return c.Stats(id).Health }

// Requeue requeues all that q selects and returns how many changed.
func (c *Driver) Requeue(q store.DeliveryQuery) int {
	n, _ := c.RequeueAll(q)
	return n
}

// RequeueAll requeues all that q selects. It returns how many changed, and which subscriptions were
// held, in order.
func (c *Driver) RequeueAll(q store.DeliveryQuery) (n int, held []string) {
	for range MaxPages {
		r, err := c.Store.Requeue(c.Ctx(), q)
		c.Must("Requeue", err)
		n += r.Requeued
		held = append(held, r.Held...)
		if r.Next == "" {
			slices.Sort(held)
			return n, slices.Compact(held)
		}
		q.Cursor = r.Next
	}
	c.Fatalf("Requeue: the listing never ends")
	return 0, nil
}

// Prune prunes until there is no more to do.
func (c *Driver) Prune(r store.Retention) {
	for range MaxPages {
		more, err := c.Store.Prune(c.Ctx(), r)
		c.Must("Prune", err)
		if !more {
			return
		}
	}
	c.Fatalf("Prune: there is always more to do")
}

// Erase erases all that q selects and returns how many events changed.
func (c *Driver) Erase(q store.EraseQuery) int {
	total := 0
	for range MaxPages {
		n, next, err := c.Store.Erase(c.Ctx(), q)
		c.Must("Erase", err)
		total += n
		if next == "" {
			return total
		}
		q.Cursor = next
	}
	c.Fatalf("Erase: it never ends")
	return 0
}

// EraseOne erases one event of the tenant "".
func (c *Driver) EraseOne(id string) {
	Equal(c, "events erased", c.Erase(store.EraseQuery{EventID: id}), 1)
}

func SubscriptionIDs(subs []store.Subscription) []string {
	ids := make([]string, len(subs))
	for i, sub := range subs {
		ids[i] = sub.ID
	}
	return ids
}

// InState returns how many deliveries are in the state.
func (c *Driver) InState(state store.State) int {
	return len(c.Deliveries(store.DeliveryQuery{AnyTenant: true, States: []store.State{state}}))
}
