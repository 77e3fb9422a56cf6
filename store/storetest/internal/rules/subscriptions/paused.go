package subscriptions

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func pausedRules() []check.Rule {
	return []check.Rule{
		{Name: "collects", Test: testPausedCollects,
			Sentence: "A Paused subscription gets events as pending deliveries; none is claimed, " +
				"and NextDue does not count them."},
		{Name: "others", Test: testPausedOthers,
			Sentence: "Pausing a subscription keeps no other from being claimed."},
		{Name: "leases", Test: testPausedLeases,
			Sentence: "Leases run on when Status becomes Paused: their outcomes count, and what " +
				"they leave pending is not claimed."},
		{Name: "resume", Test: testPausedResume,
			Sentence: "When Status becomes Subscribed after Paused, all that is pending can be " +
				"claimed, in its order, and SubscribedAt stays."},
		{Name: "slow-start", Test: testPausedSlowStart,
			Sentence: "After Paused the health has a SlowStart of MaxSlowStart, and is otherwise " +
				"what it was, or new if the URL has changed."},
		{Name: "unsubscribe", Test: testPausedUnsubscribe,
			Sentence: "When Status becomes Unsubscribed after Paused, every pending delivery " +
				"becomes Canceled."},
		{Name: "begin", Test: testPausedBegin,
			Sentence: "When Status becomes Paused after Unsubscribed, or is so from the start, " +
				"SubscribedAt is now."},
		{Name: "requeue", Test: testPausedRequeue,
			Sentence: "Requeue makes deliveries of a Paused subscription pending; neither that " +
				"nor ProbeNow nor Recovered has them claimed."},
		{Name: "restart", Test: testPausedRestart, Restarts: true,
			Sentence: "A Paused subscription is so after a restart, with all that is pending."},
	}
}

// pause makes a subscription Paused.
func pause(c *check.Driver, id string) store.Subscription {
	return c.Update(id, func(s *store.Subscription) { s.Status = store.Paused })
}

// notClaimed checks that nothing is claimed, and that there is nothing to wait for.
func notClaimed(c *check.Driver, what string) {
	claims := c.ClaimWith(store.ClaimRequest{Max: 100})
	check.Equal(c, "claims "+what, len(claims.Claims), 0)
	check.Equal(c, "NextDue "+what, claims.NextDue, store.NoneDue)
}

func testPausedCollects(c *check.Driver) {
	sub := c.Subscribe()
	before := c.Publish(2)
	check.Equal(c, "Status", pause(c, sub.ID).Status, store.Paused)
	after := c.Publish(2)
	notClaimed(c, "while it is paused")
	for _, id := range append(before, after...) {
		check.Equal(c, "state", c.Delivery(sub.ID, id).State, store.Pending)
	}
	check.Equal(c, "Pending", c.Stats(sub.ID).Pending, 4)
	check.Equal(c, "CountPending", c.CountPending("", 10), 4)
	c.Update(sub.ID, func(s *store.Subscription) { s.Name = "changed" })
	notClaimed(c, "after another change")
}

func testPausedOthers(c *check.Driver) {
	sub, other := c.Subscribe(), c.Subscribe()
	pause(c, sub.ID)
	ids := c.Publish(3)
	claims := c.Claim(10)
	c.SameIDs("claims", check.Claimed(claims), ids)
	for _, cl := range claims {
		check.Equal(c, "subscription of the claim", cl.SubscriptionID, other.ID)
	}
}

func testPausedLeases(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(4)
	claims := c.Claim(4)
	check.Equal(c, "claims", len(claims), 4)
	pause(c, sub.ID)
	check.Equal(c, "InFlight", c.Stats(sub.ID).InFlight, 4)
	c.Counts(check.Delivered(claims[0]))
	c.Counts(check.Dead(claims[1]))
	c.Counts(check.Failed(claims[2], 0))
	c.Release(claims[3])
	c.State(claims[0].Lease, store.Delivered)
	c.State(claims[1].Lease, store.Dead)
	c.State(claims[2].Lease, store.Pending)
	c.State(claims[3].Lease, store.Pending)
	notClaimed(c, "of what was given back or failed")
}

func testPausedResume(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Publish(2)
	pause(c, sub.ID)
	ids = append(ids, c.Publish(3)...)
	var again store.Subscription
	check.Signals(c, "the end of a pause", func() { again = c.Resubscribe(sub.ID) })
	c.SameTimes("SubscribedAt", store.Subscription{SubscribedAt: again.SubscribedAt},
		store.Subscription{SubscribedAt: sub.SubscribedAt})
	for i, id := range ids {
		cl := c.ClaimOne()
		if cl.EventID != id {
			c.Errorf("claim %d: got %s, want %s", i, cl.EventID, id)
		}
		check.Equal(c, "Status of the claim", cl.Subscription.Status, store.Subscribed)
		c.Counts(check.Delivered(cl))
	}
}

func testPausedSlowStart(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(20)
	c.Counts(check.Failed(c.ClaimOne(), c.Long))
	want := c.Health(sub.ID)
	pause(c, sub.ID)
	check.Equal(c, "health while it is paused", c.Health(sub.ID), want)
	c.Resubscribe(sub.ID)
	want.SlowStart = store.MaxSlowStart
	check.Equal(c, "health after the pause", c.Health(sub.ID), want)
	limited := store.ClaimRequest{Max: 20, PerSubscription: 16}
	check.Equal(c, "claims after the pause", len(c.ClaimWith(limited).Claims), 1)
	c.Resubscribe(sub.ID)
	check.Equal(c, "health after it was subscribed again and was so already", c.Health(sub.ID), want)

	pause(c, sub.ID)
	c.Update(sub.ID, func(s *store.Subscription) {
		s.Status, s.URL = store.Subscribed, "https://another.example/"
	})
	check.Equal(c, "health after the pause, at another URL", c.Health(sub.ID),
		store.Health{SlowStart: store.MaxSlowStart})
}

func testPausedUnsubscribe(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(1)
	leased := c.ClaimOne()
	pause(c, sub.ID)
	c.Publish(2)
	c.Unsubscribe(sub.ID, "")
	check.Equal(c, "canceled deliveries", c.InState(store.Canceled), 3)
	check.Equal(c, "Pending", c.Stats("").Pending, 0)
	c.Ignored(check.Failed(leased, 0))
	c.Resubscribe(sub.ID)
	check.Equal(c, "health after subscribing again", c.Health(sub.ID), store.Health{})
	check.Equal(c, "claims after subscribing again", len(c.Claim(10)), 0)
}

func testPausedBegin(c *check.Driver) {
	draft := c.NewSub("a.type")
	draft.Status = store.Paused
	created := c.Create(draft)
	c.Near("SubscribedAt of one that is created Paused", created.SubscribedAt, time.Now())
	c.PublishTo("a.type", 2)
	notClaimed(c, "of one that is created Paused")
	check.Equal(c, "Pending of one that is created Paused", c.Stats(created.ID).Pending, 2)

	sub := c.Subscribe("b.type")
	c.Unsubscribe(sub.ID, "answered 410")
	c.PublishTo("b.type", 1)
	c.Pass(c.Short)
	again := c.Update(sub.ID, func(s *store.Subscription) {
		s.Status, s.DisabledReason = store.Paused, ""
	})
	if !again.SubscribedAt.After(sub.SubscribedAt) {
		c.Errorf("SubscribedAt after Unsubscribed: got %v, want later than %v", again.SubscribedAt,
			sub.SubscribedAt)
	}
	ids := c.PublishTo("b.type", 1)
	notClaimed(c, "of one that was Unsubscribed")
	c.Resubscribe(sub.ID)
	c.SameIDs("claims", check.Claimed(c.Claim(10)), ids)
}

func testPausedRequeue(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(4)
	c.Counts(check.Delivered(c.ClaimOne()))
	c.Counts(check.Dead(c.ClaimOne()))
	c.Counts(check.Failed(c.ClaimOne(), c.Long))
	c.Counts(check.Held(c.ClaimOne(), 0, c.Long))
	pause(c, sub.ID)
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{States: store.States()}), 3)
	c.Must("ProbeNow", c.Store.ProbeNow(c.Ctx(), sub.ID))
	notClaimed(c, "after Requeue and ProbeNow")
	c.Must("Recovered", c.Store.Recovered(c.Ctx(), sub.ID))
	notClaimed(c, "after Recovered")
	check.Equal(c, "Pending", c.Stats(sub.ID).Pending, 4)
	c.Resubscribe(sub.ID)
	check.Equal(c, "claims after the pause", len(c.Claim(10)), 4)
}

func testPausedRestart(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Publish(2)
	pause(c, sub.ID)
	ids = append(ids, c.Publish(2)...)
	c.Reopen()
	got, err := c.Store.Subscription(c.Ctx(), sub.ID)
	c.Must("Subscription", err)
	check.Equal(c, "Status", got.Status, store.Paused)
	ids = append(ids, c.Publish(1)...)
	check.Equal(c, "claims after the restart", len(c.Claim(10)), 0)
	check.Equal(c, "Pending", c.Stats(sub.ID).Pending, 5)
	c.Resubscribe(sub.ID)
	c.SameIDs("claims after the pause", check.Claimed(c.Claim(10)), ids)
}
