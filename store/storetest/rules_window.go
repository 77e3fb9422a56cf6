package storetest

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

func windowRules() []rule {
	return []rule{
		{name: "counts", test: testWindowCounts,
			rule: "Hour and Day count what was recorded of the subscription's attempts, a late success too."},
		{name: "uncounted", test: testWindowUncounted,
			rule: "What records no attempt is not counted."},
		{name: "percentiles", test: testWindowPercentiles,
			rule: "P50 and P95 are the times within which half and 95 % of the answers came, to within a tenth."},
		{name: "apart", test: testWindowApart,
			rule: "Each subscription has windows of its own; the whole store has none."},
		{name: "hour", test: testWindowHour, days: true,
			rule: "What is older than an hour is not in Hour, and what is older than a day not in Day."},
		{name: "sliding", test: testWindowSliding, days: true,
			rule: "Windows slide in steps of minutes, not of hours."},
		{name: "health", test: testWindowHealth,
			rule: "Windows do not start anew with the health."},
		{name: "deleted", test: testWindowDeleted,
			rule: "Windows start anew when the subscription is deleted."},
		{name: "restart", test: testWindowRestart, days: true, restart: true,
			rule: "What was counted is there after a restart, and ages over it."},
	}
}

// took returns the outcome with an answer that came after so long.
func took(o store.Outcome, d time.Duration) store.Outcome {
	o.Attempt.Duration = d
	return o
}

// within checks a time to within a tenth.
func (c *check) within(what string, got, want time.Duration) {
	if float64(got) < 0.9*float64(want) || float64(got) > 1.1*float64(want) {
		c.errorf("%s: got %v, want %v to within a tenth", what, got, want)
	}
}

// window checks the counts of a window.
func (c *check) window(what string, got store.AttemptStats, delivered, failed int) {
	if got.Delivered != delivered || got.Failed != failed {
		c.errorf("%s: got %d delivered and %d failed, want %d and %d", what, got.Delivered, got.Failed, delivered, failed)
	}
}

// windows checks the counts of both windows of a subscription.
func (c *check) windows(what, id string, delivered, failed int) {
	stats := c.stats(id)
	c.window(what+": Hour", stats.Hour, delivered, failed)
	c.window(what+": Day", stats.Day, delivered, failed)
}

func testWindowCounts(c *check) {
	sub := c.subscribe()
	c.windows("before the first", sub.ID, 0, 0)
	c.publish(6)
	claims := c.claim(6)
	for i, cl := range claims[:3] {
		c.counts(delivered(cl))
		c.windows("delivered", sub.ID, i+1, 0)
	}
	c.counts(dead(claims[3]))
	c.windows("dead", sub.ID, 3, 1)
	c.counts(failed(claims[4], c.long))
	c.windows("pending", sub.ID, 3, 2)
	c.release(claims[5])
	c.counts(delivered(claims[5]))
	c.windows("late success", sub.ID, 4, 2)
	c.unsubscribe(sub.ID, "")
	c.counts(delivered(claims[4]))
	c.windows("late success of a canceled one", sub.ID, 5, 2)
}

func testWindowUncounted(c *check) {
	sub := c.subscribe()
	c.publish(4)
	claims := c.claim(4)
	c.counts(canceled(claims[0], "filtered"))
	c.release(claims[1])
	c.ignored(failed(claims[1], 0))
	c.counts(delivered(claims[2]))
	c.ignored(delivered(claims[2]))
	c.windows("after a cancel, a release and two that were ignored", sub.ID, 1, 0)
	c.unsubscribe(sub.ID, "")
	c.windows("after unsubscribing", sub.ID, 1, 0)
}

func testWindowPercentiles(c *check) {
	sub := c.subscribe()
	c.publish(100)
	claims := c.claim(100)
	equal(c, "claims", len(claims), 100)
	timeout := took(dead(claims[0]), 15*time.Second)
	timeout.Attempt.Status = 0
	c.counts(timeout) // which is no answer
	if got, want := c.stats(sub.ID).Hour, (store.AttemptStats{Failed: 1}); got != want {
		c.errorf("after a timeout: got %+v, want %+v", got, want)
	}
	for i, cl := range claims[1:] {
		switch {
		case i < 60:
			c.counts(took(delivered(cl), 40*time.Millisecond))
		case i < 92:
			c.counts(took(delivered(cl), 700*time.Millisecond))
		default:
			c.counts(took(dead(cl), 9*time.Second))
		}
	}
	for name, w := range map[string]store.AttemptStats{"Hour": c.stats(sub.ID).Hour, "Day": c.stats(sub.ID).Day} {
		c.window(name, w, 92, 8)
		c.within("P50 of "+name, w.P50, 40*time.Millisecond)
		c.within("P95 of "+name, w.P95, 9*time.Second)
	}
}

func testWindowApart(c *check) {
	sub, other := c.subscribe("one.type"), c.subscribe("two.type")
	c.publishTo("one.type", 3)
	c.each(3, delivered)
	c.publishTo("two.type", 2)
	c.each(2, dead)
	c.windows("the one", sub.ID, 3, 0)
	c.windows("the other", other.ID, 0, 2)
	all := c.stats("")
	equal(c, "Hour of the whole store", all.Hour, store.AttemptStats{})
	equal(c, "Day of the whole store", all.Day, store.AttemptStats{})
}

// slot is by how much figures may reach back further than an hour or a day.
const slot = 5 * time.Minute

func testWindowHour(c *check) {
	sub := c.subscribe()
	c.publish(3)
	c.pass(slot - time.Minute) // in a bubble time starts where a slot does
	c.each(2, func(cl store.Claim) store.Outcome { return took(delivered(cl), time.Second) })
	c.pass(time.Hour - time.Minute)
	c.windows("within the hour", sub.ID, 2, 0)
	c.pass(2 * slot)
	c.counts(took(dead(c.claimOne()), 10*time.Millisecond))
	stats := c.stats(sub.ID)
	c.window("Hour after the hour", stats.Hour, 0, 1)
	c.within("P50 of the hour", stats.Hour.P50, 10*time.Millisecond)
	c.window("Day after the hour", stats.Day, 2, 1)
	c.within("P50 of the day", stats.Day.P50, time.Second)
	c.pass(23*time.Hour - 3*slot)
	c.window("Hour within the day", c.stats(sub.ID).Hour, 0, 0)
	c.window("Day within the day", c.stats(sub.ID).Day, 2, 1)
	c.pass(3 * slot)
	c.window("Day once the first are older than a day", c.stats(sub.ID).Day, 0, 1)
	c.pass(2 * time.Hour)
	if got := c.stats(sub.ID); got.Hour != (store.AttemptStats{}) || got.Day != (store.AttemptStats{}) {
		c.errorf("once all are older than a day: got %+v and %+v, want zero", got.Hour, got.Day)
	}
}

func testWindowSliding(c *check) {
	sub := c.subscribe()
	const steps = 26 * 6
	c.publish(steps)
	for n := 1; n <= steps; n++ {
		c.counts(delivered(c.claimOne()))
		stats := c.stats(sub.ID)
		for what, got := range map[string]struct{ count, max int }{
			"Hour": {stats.Hour.Delivered, 6},
			"Day":  {stats.Day.Delivered, 24 * 6},
		} {
			if want := min(n, got.max); got.count < want || got.count > want+1 {
				c.errorf("%s after %d attempts, one in ten minutes: got %d, want %d", what, n, got.count, want)
			}
		}
		c.pass(10 * time.Minute)
	}
}

func testWindowHealth(c *check) {
	sub := c.subscribe()
	c.publish(2)
	c.each(2, delivered)
	c.update(sub.ID, func(s *store.Subscription) { s.URL = "https://new.example/" })
	c.windows("after another URL", sub.ID, 2, 0)
	c.unsubscribe(sub.ID, "")
	c.resubscribe(sub.ID)
	c.windows("after subscribing again", sub.ID, 2, 0)
}

func testWindowDeleted(c *check) {
	sub := c.newSub()
	for n := range 2 {
		c.create(sub)
		c.windows(fmt.Sprintf("of life %d before the first", n+1), sub.ID, 0, 0)
		c.publish(2)
		c.each(2, delivered)
		c.windows(fmt.Sprintf("of life %d", n+1), sub.ID, 2, 0)
		c.must("DeleteSubscription", c.store.DeleteSubscription(c.ctx, sub.ID))
	}
}

func testWindowRestart(c *check) {
	sub := c.subscribe()
	c.publish(4)
	c.each(3, func(cl store.Claim) store.Outcome { return took(delivered(cl), time.Second) })
	c.pass(time.Minute) // what was counted in the last seconds may be missing
	c.reopen()
	c.windows("after a restart", sub.ID, 3, 0)
	c.within("P95 after a restart", c.stats(sub.ID).Day.P95, time.Second)
	c.counts(dead(c.claimOne()))
	c.windows("in the same minutes", sub.ID, 3, 1)
	c.pass(time.Hour + slot)
	c.reopen()
	c.window("Hour an hour later", c.stats(sub.ID).Hour, 0, 0)
	c.window("Day an hour later", c.stats(sub.ID).Day, 3, 1)
	c.pass(24 * time.Hour)
	c.reopen()
	c.window("Day a day later", c.stats(sub.ID).Day, 0, 0)
}
