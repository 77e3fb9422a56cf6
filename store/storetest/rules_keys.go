package storetest

import (
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

func keyRules() []rule {
	return []rule{
		{name: "one-after-another", test: testKeyOrder,
			rule: "A delivery with a Key is not claimed while an earlier one of the same subscription with the " +
				"same Key is pending."},
		{name: "retry", test: testKeyRetry,
			rule: "A delivery with a Key waits while an earlier one waits for a retry."},
		{name: "dead", test: testKeyDead,
			rule: "A delivery that is dead lets the next of its Key go."},
		{name: "canceled", test: testKeyCanceled,
			rule: "A delivery that is canceled lets the next of its Key go."},
		{name: "others-pass", test: testKeyOthersPass,
			rule: "Other keys, and deliveries without one, pass."},
		{name: "by-subscription", test: testKeyBySubscription,
			rule: "A Key of one subscription keeps no other subscription waiting."},
		{name: "expiry", test: testKeyExpiry,
			rule: "When the lease of a delivery with a Key runs out it is still the first of its Key."},
		{name: "release", test: testKeyRelease,
			rule: "A delivery with a Key that is released is still the first of its Key."},
		{name: "late-success", test: testKeyLateSuccess,
			rule: "A late success ends a delivery, and so lets the next of its Key go."},
		{name: "requeue", test: testKeyRequeue,
			rule: "A requeued delivery goes before later ones with the same Key."},
	}
}

// keyed enqueues an event for each key, in one call, and returns their IDs.
func (c *check) keyed(keys ...string) []string {
	evs := make([]events.Event, len(keys))
	for i, key := range keys {
		evs[i] = c.event("message.created")
		evs[i].Key = key
	}
	c.enqueue(evs...)
	return eventIDs(evs)
}

// next claims all there is and checks that it is the one wanted.
func (c *check) next(what, wantID string) store.Claim {
	claims := c.claim(100)
	if len(claims) != 1 || claims[0].EventID != wantID {
		c.fatalf("%s: got claims %v, want [%s]", what, claimed(claims), wantID)
	}
	return claims[0]
}

func testKeyOrder(c *check) {
	c.subscribe()
	ids := append(c.keyed("k", "k"), c.keyed("k")...)
	for n, id := range ids {
		cl := c.next("the next of the key", id)
		equal(c, "claims while it is leased", len(c.claim(100)), 0)
		if n == 0 {
			ids = append(ids[:3:3], c.keyed("k")...)
		}
		c.counts(delivered(cl))
	}
	c.next("one enqueued while another was leased", ids[3])
}

func testKeyRetry(c *check) {
	c.subscribe()
	ids := c.keyed("k", "k", "other")
	for _, cl := range c.claim(100) {
		if cl.EventID == ids[0] {
			c.counts(failed(cl, c.long))
		}
	}
	equal(c, "claims before the retry is due", len(c.claim(100)), 0)
	c.requeue(store.DeliveryQuery{EventID: ids[0], States: []store.State{store.Pending}})
	c.counts(delivered(c.next("when it is due", ids[0])))
	c.next("after it", ids[1])
}

func testKeyDead(c *check) {
	c.subscribe()
	ids := c.keyed("k", "k")
	c.counts(dead(c.next("the first", ids[0])))
	c.next("after a dead one", ids[1])
}

func testKeyCanceled(c *check) {
	sub := c.subscribe()
	c.keyed("k", "k", "k")
	c.claimOne()
	c.unsubscribe(sub.ID, "")
	c.resubscribe(sub.ID)
	ids := c.keyed("k", "k")
	c.counts(delivered(c.next("after canceled ones", ids[0])))
	c.next("the next", ids[1])
}

func testKeyOthersPass(c *check) {
	c.subscribe()
	ids := c.keyed("k", "k", "other", "", "", "k", "other")
	want := []string{ids[0], ids[2], ids[3], ids[4]}
	c.sameIDs("claims", claimed(c.claim(100)), want)
}

func testKeyBySubscription(c *check) {
	sub, other := c.subscribe(), c.subscribe()
	ids := c.keyed("k", "k")
	claims := c.claim(100)
	equal(c, "claims", len(claims), 2)
	for _, cl := range claims {
		if cl.SubscriptionID == sub.ID {
			c.counts(delivered(cl))
		}
	}
	cl := c.next("after one subscription's first", ids[1])
	equal(c, "subscription", cl.SubscriptionID, sub.ID)
	equal(c, "state of the other's first", c.delivery(other.ID, ids[0]).State, store.Pending)
}

func testKeyExpiry(c *check) {
	c.subscribe()
	ids := c.keyed("k", "k")
	c.claimWith(store.ClaimRequest{Max: 10, Lease: c.short})
	c.pass(c.short)
	c.counts(delivered(c.next("once the lease has run out", ids[0])))
	c.next("after it", ids[1])
}

func testKeyRelease(c *check) {
	c.subscribe()
	ids := c.keyed("k", "k")
	c.release(c.next("the first", ids[0]))
	c.counts(delivered(c.next("once released", ids[0])))
	c.next("after it", ids[1])
}

func testKeyLateSuccess(c *check) {
	c.subscribe()
	ids := c.keyed("k", "k")
	late := c.claimWith(store.ClaimRequest{Max: 10, Lease: c.short}).Claims
	c.pass(c.short)
	c.next("once the lease has run out", ids[0])
	c.counts(delivered(late[0]))
	c.next("after the late success", ids[1])
}

func testKeyRequeue(c *check) {
	c.subscribe()
	ids := c.keyed("k", "k", "k")
	c.counts(dead(c.next("the first", ids[0])))
	second := c.next("the second", ids[1])
	equal(c, "requeued while the second is leased", c.requeue(store.DeliveryQuery{EventID: ids[0]}), 1)
	first := c.next("the requeued one", ids[0])
	c.counts(failed(second, 0))
	equal(c, "claims while the first is leased", len(c.claim(100)), 0)
	c.counts(dead(first))
	equal(c, "requeued while the second waits", c.requeue(store.DeliveryQuery{EventID: ids[0]}), 1)
	c.counts(delivered(c.next("the one requeued again", ids[0])))
	c.counts(delivered(c.next("after the first", ids[1])))
	c.next("after the second", ids[2])
}
