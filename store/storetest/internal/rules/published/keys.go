package published

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func keyRules() []check.Rule {
	return []check.Rule{
		{Name: "one-after-another", Test: testKeyOrder,
			Sentence: "A delivery with a Key is not claimed while an earlier one of the same " +
				"subscription with the same Key is pending."},
		{Name: "retry", Test: testKeyRetry,
			Sentence: "A delivery with a Key waits while an earlier one waits for a retry."},
		{Name: "dead", Test: testKeyDead,
			Sentence: "A dead delivery no longer blocks the next of its Key."},
		{Name: "canceled", Test: testKeyCanceled,
			Sentence: "A canceled delivery no longer blocks the next of its Key."},
		{Name: "others-pass", Test: testKeyOthersPass,
			Sentence: "A pending Key delays no other Key, and no delivery without one."},
		{Name: "by-subscription", Test: testKeyBySubscription,
			Sentence: "A pending Key of one subscription delays no other subscription."},
		{Name: "expiry", Test: testKeyExpiry,
			Sentence: "When the lease of a delivery with a Key runs out it is still the first " +
				"of its Key."},
		{Name: "release", Test: testKeyRelease,
			Sentence: "A delivery with a Key that is released is still the first of its Key."},
		{Name: "late-success", Test: testKeyLateSuccess,
			Sentence: "A late success ends a delivery, and the next of its Key can be claimed."},
		{Name: "requeue", Test: testKeyRequeue,
			Sentence: "A requeued delivery goes before later ones with the same Key."},
	}
}

func testKeyOrder(c *check.Driver) {
	c.Subscribe()
	ids := append(c.Keyed("k", "k"), c.Keyed("k")...)
	for n, id := range ids {
		cl := c.Next("the next of the key", id)
		check.Equal(c, "claims while it is leased", len(c.Claim(100)), 0)
		if n == 0 {
			ids = append(ids[:3:3], c.Keyed("k")...)
		}
		c.Counts(check.Delivered(cl))
	}
	c.Next("one enqueued while another was leased", ids[3])
}

func testKeyRetry(c *check.Driver) {
	c.Subscribe()
	ids := c.Keyed("k", "k", "other")
	for _, cl := range c.Claim(100) {
		if cl.EventID == ids[0] {
			c.Counts(check.Failed(cl, c.Long))
		}
	}
	check.Equal(c, "claims before the retry is due", len(c.Claim(100)), 0)
	c.Requeue(store.DeliveryQuery{EventID: ids[0], States: []store.State{store.Pending}})
	c.Counts(check.Delivered(c.Next("when it is due", ids[0])))
	c.Next("after it", ids[1])
}

func testKeyDead(c *check.Driver) {
	c.Subscribe()
	ids := c.Keyed("k", "k")
	c.Counts(check.Dead(c.Next("the first", ids[0])))
	c.Next("after a dead one", ids[1])
}

func testKeyCanceled(c *check.Driver) {
	sub := c.Subscribe()
	c.Keyed("k", "k", "k")
	c.ClaimOne()
	c.Unsubscribe(sub.ID, "")
	c.Resubscribe(sub.ID)
	ids := c.Keyed("k", "k")
	c.Counts(check.Delivered(c.Next("after canceled ones", ids[0])))
	c.Next("the next", ids[1])
}

func testKeyOthersPass(c *check.Driver) {
	c.Subscribe()
	ids := c.Keyed("k", "k", "other", "", "", "k", "other")
	want := []string{ids[0], ids[2], ids[3], ids[4]}
	c.SameIDs("claims", check.Claimed(c.Claim(100)), want)
}

func testKeyBySubscription(c *check.Driver) {
	sub, other := c.Subscribe(), c.Subscribe()
	ids := c.Keyed("k", "k")
	claims := c.Claim(100)
	check.Equal(c, "claims", len(claims), 2)
	for _, cl := range claims {
		if cl.SubscriptionID == sub.ID {
			c.Counts(check.Delivered(cl))
		}
	}
	cl := c.Next("after one subscription's first", ids[1])
	check.Equal(c, "subscription", cl.SubscriptionID, sub.ID)
	check.Equal(c, "state of the other's first", c.Delivery(other.ID, ids[0]).State, store.Pending)
}

func testKeyExpiry(c *check.Driver) {
	c.Subscribe()
	ids := c.Keyed("k", "k")
	c.ClaimWith(store.ClaimRequest{Max: 10, Lease: c.Short})
	c.Pass(c.Short)
	c.Counts(check.Delivered(c.Next("once the lease has run out", ids[0])))
	c.Next("after it", ids[1])
}

func testKeyRelease(c *check.Driver) {
	c.Subscribe()
	ids := c.Keyed("k", "k")
	c.Release(c.Next("the first", ids[0]))
	c.Counts(check.Delivered(c.Next("once released", ids[0])))
	c.Next("after it", ids[1])
}

func testKeyLateSuccess(c *check.Driver) {
	c.Subscribe()
	ids := c.Keyed("k", "k")
	late := c.ClaimWith(store.ClaimRequest{Max: 10, Lease: c.Short}).Claims
	c.Pass(c.Short)
	c.Next("once the lease has run out", ids[0])
	c.Counts(check.Delivered(late[0]))
	c.Next("after the late success", ids[1])
}

func testKeyRequeue(c *check.Driver) {
	c.Subscribe()
	ids := c.Keyed("k", "k", "k")
	c.Counts(check.Dead(c.Next("the first", ids[0])))
	second := c.Next("the second", ids[1])
	check.Equal(c, "requeued while the second is leased",
		c.Requeue(store.DeliveryQuery{EventID: ids[0]}), 1)
	first := c.Next("the requeued one", ids[0])
	c.Counts(check.Failed(second, 0))
	check.Equal(c, "claims while the first is leased", len(c.Claim(100)), 0)
	c.Counts(check.Dead(first))
	check.Equal(c, "requeued while the second waits",
		c.Requeue(store.DeliveryQuery{EventID: ids[0]}), 1)
	c.Counts(check.Delivered(c.Next("the one requeued again", ids[0])))
	c.Counts(check.Delivered(c.Next("after the first", ids[1])))
	c.Next("after the second", ids[2])
}
