package storetest

import (
	"encoding/json"

	"github.com/outhook/outhook/store"
)

// What becomes of events once they are erased.

func testEraseRequeue(c *check) {
	sub := c.subscribe()
	disabled := c.subscribe()
	c.unsubscribe(disabled.ID, "answered 410")
	ids := c.publish(5)
	for i, finish := range []func(store.Claim) store.Outcome{delivered, dead, delivered} {
		cl := c.claimOne()
		c.sameIDs("claims", []string{cl.EventID}, ids[i:i+1])
		c.counts(finish(cl))
	}
	c.claimOne()
	for _, i := range []int{0, 1, 3, 4} {
		c.eraseOne(ids[i])
	}
	c.resubscribe(disabled.ID)
	equal(c, "requeued, with a limit", c.requeue(store.DeliveryQuery{Limit: 1}), 2)
	equal(c, "requeued of all states", c.requeue(store.DeliveryQuery{States: store.States(), EventID: ids[3]}), 0)
	claims := c.claim(10)
	c.sameIDs("claims", claimed(claims), []string{ids[2], ids[2]})
	equal(c, "claims of the one", perSubscription(claims)[sub.ID], 1)
}

func testEraseEnqueue(c *check) {
	c.subscribe()
	ev := c.event("message.created")
	other := ev
	other.Payload = json.RawMessage(`"other content"`)
	c.enqueue(ev)
	c.counts(failed(c.claimOne(), 0))
	c.eraseOne(ev.ID)
	before := c.everything()
	late := c.subscribe()
	fresh := c.event("message.created")
	c.must("Enqueue of the same content", c.store.Enqueue(c.ctx, ev))
	c.must("Enqueue of other content", c.store.Enqueue(c.ctx, other, fresh))
	other.Type, other.Key, other.Tenant = "another.type", "k", "another"
	c.must("Enqueue of another type and tenant", c.store.Enqueue(c.ctx, other))
	after := c.deliveries(store.DeliveryQuery{AnyTenant: true, EventID: ev.ID})
	if len(after) != 1 {
		c.fatalf("deliveries: got %d, want 1", len(after))
	}
	c.sameDelivery("delivery", after[0], before[0])
	equal(c, "Pending for one subscribed later: only another event", c.stats(late.ID).Pending, 1)
	for _, cl := range c.claim(10) {
		equal(c, "claim", cl.EventID, fresh.ID)
	}
}

func testEraseAgain(c *check) {
	c.subscribe()
	ids := c.publish(3)
	c.counts(delivered(c.claimOne()))
	c.eraseOne(ids[1])
	before := c.delivery("", ids[1])
	equal(c, "events erased again", c.erase(store.EraseQuery{EventID: ids[1]}), 0)
	equal(c, "events erased of all", c.erase(store.EraseQuery{Limit: 1}), 2)
	equal(c, "events erased of all again", c.erase(store.EraseQuery{}), 0)
	c.sameDelivery("delivery", c.delivery("", ids[1]), before)
}

func testErasePrune(c *check) {
	c.subscribe()
	evs := c.messages(2)
	c.enqueue(evs...)
	c.counts(delivered(c.claimOne()))
	equal(c, "events erased", c.erase(store.EraseQuery{}), 2)
	c.pass(c.short)
	c.prune(store.Retention{Delivered: c.short, Failed: c.short})
	equal(c, "deliveries", len(c.everything()), 0)
	_, _, err := c.store.Erase(c.ctx, store.EraseQuery{EventID: evs[0].ID})
	c.is("Erase of a pruned one", err, store.ErrNotFound)
	evs[0].Payload = json.RawMessage(`"other content"`)
	c.enqueue(evs...)
	equal(c, "claims once they are not known any more", len(c.claim(10)), 2)
}
