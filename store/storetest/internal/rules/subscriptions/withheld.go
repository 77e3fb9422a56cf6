package subscriptions

import (
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func withheldRules() []check.Rule {
	return []check.Rule{
		{Name: "unverified", Test: testUnverified,
			Sentence: "An Unverified subscription gets events as pending deliveries, which wait for " +
				"that; none is claimed until it is Subscribed, and then by slow start."},
		{Name: "unverified-begins", Test: testUnverifiedBegins,
			Sentence: "When Status becomes Unverified after Unsubscribed, or is so from the start, " +
				"SubscribedAt is now; when it becomes Unsubscribed, every pending delivery becomes " +
				"Canceled."},
		{Name: "poll", Test: testPolled,
			Sentence: "What is pending of a subscription without a URL waits for a poll and is never " +
				"claimed, whatever the subscription gets; with a URL it is claimed."},
		{Name: "poll-requeue", Test: testPolledRequeue,
			Sentence: "Requeue makes deliveries of a subscription without a URL pending, and none " +
				"is claimed."},
		{Name: "poll-success", Test: testPolledSuccess,
			Sentence: "A success without a claim, of a delivery that waits for a poll, counts: it " +
				"ends as Delivered with the attempt, once, and the others wait on."},
		{Name: "poll-window", Test: testPolledWindow,
			Sentence: "What waits for a poll says by DueAt from when on it may be read, and from " +
				"its ExpiresAt on it is canceled, and so are its counts."},
		{Name: "oldest", Test: testOldest,
			Sentence: "With Last a listing begins at its other end: with the oldest, and Previous " +
				"goes on to what is newer, also to what came since."},
		{Name: "restart", Test: testWithheldRestart, Restarts: true,
			Sentence: "What is withheld is so after a restart, with all that is pending."},
	}
}

// waitsFor checks what all deliveries of some events wait for.
func waitsFor(c *check.Driver, what, subscriptionID string, ids []string, want store.Wait) {
	for _, id := range ids {
		d := c.Delivery(subscriptionID, id)
		check.Equal(c, "state of "+id+" "+what, d.State, store.Pending)
		check.Equal(c, "Wait of "+id+" "+what, d.Wait, want)
	}
}

func testUnverified(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Publish(2)
	c.Update(sub.ID, func(s *store.Subscription) { s.Status = store.Unverified })
	ids = append(ids, c.Publish(2)...)
	notClaimed(c, "while it is Unverified")
	waitsFor(c, "while it is Unverified", sub.ID, ids, store.WaitUnverified)
	check.Equal(c, "Pending", c.Stats(sub.ID).Pending, 4)
	pause(c, sub.ID)
	waitsFor(c, "when it is Paused", sub.ID, ids, store.WaitPaused)
	c.Update(sub.ID, func(s *store.Subscription) { s.Status = store.Unverified })
	check.Signals(c, "the proof", func() { c.Resubscribe(sub.ID) })
	check.Equal(c, "SlowStart", c.Health(sub.ID).SlowStart, store.MaxSlowStart)
	c.SameIDs("claims", check.Claimed(c.Claim(10)), ids)
}

func testUnverifiedBegins(c *check.Driver) {
	draft := c.NewSub("a.type")
	draft.Status = store.Unverified
	created := c.Create(draft)
	check.Equal(c, "Status", created.Status, store.Unverified)
	c.Near("SubscribedAt of one that is created Unverified", created.SubscribedAt, time.Now())
	c.PublishTo("a.type", 2)
	notClaimed(c, "of one that is created Unverified")
	c.Unsubscribe(created.ID, "")
	check.Equal(c, "canceled deliveries", c.InState(store.Canceled), 2)
	c.Pass(c.Short)
	again := c.Update(created.ID, func(s *store.Subscription) { s.Status = store.Unverified })
	if !again.SubscribedAt.After(created.SubscribedAt) {
		c.Errorf("SubscribedAt after Unsubscribed: got %v, want later than %v", again.SubscribedAt,
			created.SubscribedAt)
	}
	ids := c.PublishTo("a.type", 1)
	notClaimed(c, "of one that was Unsubscribed")
	waitsFor(c, "of one that was Unsubscribed", created.ID, ids, store.WaitUnverified)
}

func testPolled(c *check.Driver) {
	draft := c.NewSub()
	url := draft.URL
	draft.URL = ""
	sub := c.Create(draft)
	check.Equal(c, "URL", sub.URL, "")
	ids := c.Publish(3)
	ids = append(ids, c.Keyed("a", "a")...)
	notClaimed(c, "without a URL")
	waitsFor(c, "without a URL", sub.ID, ids[:4], store.WaitPoll)
	check.Equal(c, "CountPending", c.CountPending("", 10), 5)
	c.Must("ProbeNow", c.Store.ProbeNow(c.Ctx(), sub.ID))
	c.Must("Recovered", c.Store.Recovered(c.Ctx(), sub.ID))
	notClaimed(c, "without a URL, after ProbeNow and Recovered")
	pause(c, sub.ID)
	waitsFor(c, "when it is Paused", sub.ID, ids[:1], store.WaitPaused)
	c.Resubscribe(sub.ID)
	notClaimed(c, "without a URL, after a pause")

	other := c.Subscribe()
	more := c.Publish(1)
	c.SameIDs("claims of another", check.Claimed(c.Claim(10)), more)
	c.Update(other.ID, func(s *store.Subscription) { s.URL = "" })
	check.Signals(c, "a URL", func() {
		c.Update(sub.ID, func(s *store.Subscription) { s.URL = url })
	})
	// The first of each key, as with every other.
	c.SameIDs("claims with a URL", check.Claimed(c.Claim(10)), append(ids[:4:4], more...))
}

func testPolledRequeue(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Publish(3)
	c.Counts(check.Delivered(c.ClaimOne()))
	c.Counts(check.Dead(c.ClaimOne()))
	c.Counts(check.Failed(c.ClaimOne(), c.Long))
	c.Update(sub.ID, func(s *store.Subscription) { s.URL = "" })
	check.Equal(c, "requeued", c.Requeue(store.DeliveryQuery{States: store.States()}), 3)
	notClaimed(c, "after Requeue")
	waitsFor(c, "after Requeue", sub.ID, ids, store.WaitPoll)
}

// read is the outcome of a delivery that was read by poll: nobody has claimed it.
func read(sub *store.Subscription, eventID string) store.Outcome {
	return store.Outcome{
		Lease:   store.Lease{SubscriptionID: sub.ID, EventID: eventID},
		Attempt: store.Attempt{Number: 1, At: time.Now(), Status: 200},
		State:   store.Delivered,
	}
}

func testPolledSuccess(c *check.Driver) {
	draft := c.NewSub()
	draft.URL = ""
	sub := c.Create(draft)
	ids := c.Publish(3)
	ids = append(ids, c.Keyed("a", "a")...)
	results, err := c.Store.Finish(c.Ctx(), read(&sub, ids[0]), read(&sub, ids[2]),
		read(&sub, ids[3]))
	c.Must("Finish", err)
	for i := range results {
		check.Equal(c, fmt.Sprintf("Ignored of outcome %d", i), results[i].Ignored, false)
	}
	for _, i := range []int{0, 2, 3} {
		d := c.Delivery(sub.ID, ids[i])
		check.Equal(c, "state", d.State, store.Delivered)
		check.Equal(c, "Attempts", d.Attempts, 1)
		check.Equal(c, "LastStatus", d.LastStatus, 200)
	}
	waitsFor(c, "that was not read", sub.ID, []string{ids[1], ids[4]}, store.WaitPoll)
	check.Equal(c, "Pending", c.Stats(sub.ID).Pending, 2)
	again, err := c.Store.Finish(c.Ctx(), read(&sub, ids[0]))
	c.Must("Finish", err)
	check.Equal(c, "Ignored when it is told again", again[0].Ignored, true)
	notClaimed(c, "after others were read")
}

func testPolledWindow(c *check.Driver) {
	draft := c.NewSub()
	draft.URL = ""
	sub := c.Create(draft)
	later, ends, both := c.Event("message.created"), c.Event("message.created"),
		c.Event("message.created")
	at := events.Millisecond(time.Now().Add(c.Short))
	later.NotBefore, ends.ExpiresAt = at.Add(c.Long), at
	both.NotBefore, both.ExpiresAt = at.Add(-c.Short/2), at
	c.Enqueue(later, ends, both)
	behind := c.Event("message.created")
	behind.Key = "k"
	first := behind
	first.ID, first.ExpiresAt = c.Event("message.created").ID, at
	c.Enqueue(first, behind)
	pending := func() (ids []string) {
		page, err := c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{
			SubscriptionID: sub.ID, States: []store.State{store.Pending}, Limit: 10, Last: true,
		})
		c.Must("Deliveries", err)
		return check.Listed(page.Items)
	}
	if got := pending(); !c.Late(at) {
		c.SameIDs("pending before ExpiresAt", got,
			[]string{behind.ID, first.ID, both.ID, ends.ID, later.ID})
	}
	if d := c.Delivery(sub.ID, later.ID); !d.DueAt.Equal(later.NotBefore) ||
		d.Wait != store.WaitPoll {
		c.Errorf("before NotBefore: DueAt is %v and Wait %q; want %v and poll", d.DueAt, d.Wait,
			later.NotBefore)
	}
	c.Pass(time.Until(at) + 2*time.Millisecond)
	c.SameIDs("pending from ExpiresAt on", pending(), []string{behind.ID, later.ID})
	for _, ev := range []events.Event{ends, both, first} {
		d := c.Delivery(sub.ID, ev.ID)
		check.Equal(c, "state from ExpiresAt on", d.State, store.Canceled)
		check.Equal(c, "LastError from ExpiresAt on", d.LastError, store.ReasonExpired)
		check.Equal(c, "Wait from ExpiresAt on", d.Wait, "")
	}
	// A reader that had it before tells of it now.
	results, err := c.Store.Finish(c.Ctx(), read(&sub, ends.ID))
	c.Must("Finish", err)
	check.Equal(c, "Ignored of one that was read in time", results[0].Ignored, false)
	c.Prune(store.Retention{})
	check.Equal(c, "Pending", c.Stats(sub.ID).Pending, 2)
	c.SameIDs("pending after Prune", pending(), []string{behind.ID, later.ID})
	notClaimed(c, "without a URL")
}

func testOldest(c *check.Driver) {
	sub := c.Subscribe()
	ids := c.Publish(5)
	c.Subscribe()
	c.Counts(check.Delivered(c.ClaimOne()))
	q := store.DeliveryQuery{
		SubscriptionID: sub.ID, States: []store.State{store.Pending}, Limit: 2, Last: true,
	}
	page, err := c.Store.Deliveries(c.Ctx(), q)
	c.Must("Deliveries", err)
	newest := func(ids ...string) []string {
		slices.Reverse(ids)
		return ids
	}
	c.SameIDs("the last page", check.Listed(page.Items), newest(ids[1], ids[2]))
	ids = append(ids, c.Publish(1)...)
	q.Cursor = page.Previous
	page, err = c.Store.Deliveries(c.Ctx(), q)
	c.Must("Deliveries", err)
	c.SameIDs("the page before it", check.Listed(page.Items), newest(ids[3], ids[4]))
	q.Cursor = page.Previous
	page, err = c.Store.Deliveries(c.Ctx(), q)
	c.Must("Deliveries", err)
	c.SameIDs("what came since", check.Listed(page.Items), ids[5:])
	check.Equal(c, "Previous of the newest", page.Previous, "")

	c.Requeue(store.DeliveryQuery{SubscriptionID: sub.ID, EventID: ids[0]})
	q.Cursor, q.Limit = "", 1
	page, err = c.Store.Deliveries(c.Ctx(), q)
	c.Must("Deliveries", err)
	c.SameIDs("the last page after a redelivery", check.Listed(page.Items), ids[:1])
	_, err = c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{Last: true})
	c.Invalid("Last of any subscription", err)
}

func testWithheldRestart(c *check.Driver) {
	draft := c.NewSub()
	draft.URL = ""
	polled, unverified := c.Create(draft), c.Subscribe()
	c.Update(unverified.ID, func(s *store.Subscription) { s.Status = store.Unverified })
	ids := c.Publish(2)
	c.Reopen()
	notClaimed(c, "after a restart")
	waitsFor(c, "after a restart", polled.ID, ids, store.WaitPoll)
	waitsFor(c, "after a restart", unverified.ID, ids, store.WaitUnverified)
	results, err := c.Store.Finish(c.Ctx(), read(&polled, ids[0]))
	c.Must("Finish", err)
	check.Equal(c, "Ignored", results[0].Ignored, false)
	c.Reopen()
	waitsFor(c, "after another restart", polled.ID, ids[1:], store.WaitPoll)
	check.Equal(c, "state of what was read", c.Delivery(polled.ID, ids[0]).State, store.Delivered)
}
