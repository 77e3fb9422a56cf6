package history

import (
	"encoding/json"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// What becomes of events once they are erased.

func testEraseRequeue(c *check.Driver) {
	sub := c.Subscribe()
	disabled := c.Subscribe()
	c.Unsubscribe(disabled.ID, "answered 410")
	ids := c.Publish(5)
	for i, finish := range []func(store.Claim) store.Outcome{check.Delivered, check.Dead, check.Delivered} {
		cl := c.ClaimOne()
		c.SameIDs("claims", []string{cl.EventID}, ids[i:i+1])
		c.Counts(finish(cl))
	}
	c.ClaimOne()
	for _, i := range []int{0, 1, 3, 4} {
		c.EraseOne(ids[i])
	}
	c.Resubscribe(disabled.ID)
	check.Equal(c, "requeued, with a limit", c.Requeue(store.DeliveryQuery{Limit: 1}), 2)
	check.Equal(c, "requeued of all states", c.Requeue(store.DeliveryQuery{States: store.States(), EventID: ids[3]}), 0)
	claims := c.Claim(10)
	c.SameIDs("claims", check.Claimed(claims), []string{ids[2], ids[2]})
	check.Equal(c, "claims of the one", check.PerSubscription(claims)[sub.ID], 1)
}

func testEraseEnqueue(c *check.Driver) {
	c.Subscribe()
	ev := c.Event("message.created")
	other := ev
	other.Payload = json.RawMessage(`"other content"`)
	c.Enqueue(ev)
	c.Counts(check.Failed(c.ClaimOne(), 0))
	c.EraseOne(ev.ID)
	before := c.Everything()
	late := c.Subscribe()
	fresh := c.Event("message.created")
	c.Must("Enqueue of the same content", c.Store.Enqueue(c.Ctx, ev))
	c.Must("Enqueue of other content", c.Store.Enqueue(c.Ctx, other, fresh))
	other.Type, other.Key, other.Tenant = "another.type", "k", "another"
	c.Must("Enqueue of another type and tenant", c.Store.Enqueue(c.Ctx, other))
	after := c.Deliveries(store.DeliveryQuery{AnyTenant: true, EventID: ev.ID})
	if len(after) != 1 {
		c.Fatalf("deliveries: got %d, want 1", len(after))
	}
	c.SameDelivery("delivery", after[0], before[0])
	check.Equal(c, "Pending for one subscribed later: only another event", c.Stats(late.ID).Pending, 1)
	for _, cl := range c.Claim(10) {
		check.Equal(c, "claim", cl.EventID, fresh.ID)
	}
}

func testEraseAgain(c *check.Driver) {
	c.Subscribe()
	ids := c.Publish(3)
	c.Counts(check.Delivered(c.ClaimOne()))
	c.EraseOne(ids[1])
	before := c.Delivery("", ids[1])
	check.Equal(c, "events erased again", c.Erase(store.EraseQuery{EventID: ids[1]}), 0)
	check.Equal(c, "events erased of all", c.Erase(store.EraseQuery{Limit: 1}), 2)
	check.Equal(c, "events erased of all again", c.Erase(store.EraseQuery{}), 0)
	c.SameDelivery("delivery", c.Delivery("", ids[1]), before)
}

func testErasePrune(c *check.Driver) {
	c.Subscribe()
	evs := c.Messages(2)
	c.Enqueue(evs...)
	c.Counts(check.Delivered(c.ClaimOne()))
	check.Equal(c, "events erased", c.Erase(store.EraseQuery{}), 2)
	c.Pass(c.Short)
	c.Prune(store.Retention{Delivered: c.Short, Failed: c.Short})
	check.Equal(c, "deliveries", len(c.Everything()), 0)
	_, _, err := c.Store.Erase(c.Ctx, store.EraseQuery{EventID: evs[0].ID})
	c.Is("Erase of a pruned one", err, store.ErrNotFound)
	evs[0].Payload = json.RawMessage(`"other content"`)
	c.Enqueue(evs...)
	check.Equal(c, "claims once they are not known any more", len(c.Claim(10)), 2)
}
