package outcomes

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func windowRules() []check.Rule {
	return []check.Rule{
		{Name: "counts", Test: testWindowCounts,
			Sentence: "Hour and Day count what was recorded of the subscription's attempts, a " +
				"late success too."},
		{Name: "uncounted", Test: testWindowUncounted,
			Sentence: "Outcomes that record no attempt are not counted."},
		{Name: "percentiles", Test: testWindowPercentiles,
			Sentence: "P50 and P95 are the times within which half and 95 % of the answers " +
				"came, to within a tenth."},
		{Name: "apart", Test: testWindowApart,
			Sentence: "Each subscription has windows of its own; the whole store has none."},
		{Name: "hour", Test: testWindowHour, Days: true,
			Sentence: "Hour has no attempts older than an hour, Day none older than a day."},
		{Name: "sliding", Test: testWindowSliding, Days: true,
			Sentence: "Windows slide in steps of minutes, not of hours."},
		{Name: "health", Test: testWindowHealth,
			Sentence: "The windows keep their counts when the health is reset."},
		{Name: "deleted", Test: testWindowDeleted,
			Sentence: "The windows start empty for a new subscription with the ID of a deleted " +
				"one."},
		{Name: "restart", Test: testWindowRestart, Days: true, Restarts: true,
			Sentence: "The counts survive a restart and age across it."},
	}
}

// took returns the outcome with an answer that came after so long.
func took(o store.Outcome, d time.Duration) store.Outcome {
	o.Attempt.Duration = d
	return o
}

// within checks a time to within a tenth.
func within(c *check.Driver, what string, got, want time.Duration) {
	if float64(got) < 0.9*float64(want) || float64(got) > 1.1*float64(want) {
		c.Errorf("%s: got %v, want %v to within a tenth", what, got, want)
	}
}

// window checks the counts of a window.
func window(c *check.Driver, what string, got store.AttemptStats, delivered, failed int) {
	if got.Delivered != delivered || got.Failed != failed {
		c.Errorf("%s: got %d delivered and %d failed, want %d and %d", what, got.Delivered,
			got.Failed, delivered, failed)
	}
}

// windows checks the counts of both windows of a subscription.
func windows(c *check.Driver, what, id string, delivered, failed int) {
	stats := c.Stats(id)
	window(c, what+": Hour", stats.Hour, delivered, failed)
	window(c, what+": Day", stats.Day, delivered, failed)
}

func testWindowCounts(c *check.Driver) {
	sub := c.Subscribe()
	windows(c, "before the first", sub.ID, 0, 0)
	c.Publish(6)
	claims := c.Claim(6)
	for i, cl := range claims[:3] {
		c.Counts(check.Delivered(cl))
		windows(c, "delivered", sub.ID, i+1, 0)
	}
	c.Counts(check.Dead(claims[3]))
	windows(c, "dead", sub.ID, 3, 1)
	c.Counts(check.Failed(claims[4], c.Long))
	windows(c, "pending", sub.ID, 3, 2)
	c.Release(claims[5])
	c.Counts(check.Delivered(claims[5]))
	windows(c, "late success", sub.ID, 4, 2)
	c.Unsubscribe(sub.ID, "")
	c.Counts(check.Delivered(claims[4]))
	windows(c, "late success of a canceled one", sub.ID, 5, 2)
}

func testWindowUncounted(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(4)
	claims := c.Claim(4)
	c.Counts(check.Canceled(claims[0], "filtered"))
	c.Release(claims[1])
	c.Ignored(check.Failed(claims[1], 0))
	c.Counts(check.Delivered(claims[2]))
	c.Ignored(check.Delivered(claims[2]))
	windows(c, "after a cancel, a release and two that were ignored", sub.ID, 1, 0)
	c.Unsubscribe(sub.ID, "")
	windows(c, "after unsubscribing", sub.ID, 1, 0)
}

func testWindowPercentiles(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(100)
	claims := c.Claim(100)
	check.Equal(c, "claims", len(claims), 100)
	timeout := took(check.Dead(claims[0]), 15*time.Second)
	timeout.Attempt.Status = 0
	c.Counts(timeout) // which is no answer
	if got, want := c.Stats(sub.ID).Hour, (store.AttemptStats{Failed: 1}); got != want {
		c.Errorf("after a timeout: got %+v, want %+v", got, want)
	}
	for i, cl := range claims[1:] {
		switch {
		case i < 60:
			c.Counts(took(check.Delivered(cl), 40*time.Millisecond))
		case i < 92:
			c.Counts(took(check.Delivered(cl), 700*time.Millisecond))
		default:
			c.Counts(took(check.Dead(cl), 9*time.Second))
		}
	}
	for name, w := range map[string]store.AttemptStats{"Hour": c.Stats(sub.ID).Hour,
		"Day": c.Stats(sub.ID).Day} {
		window(c, name, w, 92, 8)
		within(c, "P50 of "+name, w.P50, 40*time.Millisecond)
		within(c, "P95 of "+name, w.P95, 9*time.Second)
	}
}

func testWindowApart(c *check.Driver) {
	sub, other := c.Subscribe("one.type"), c.Subscribe("two.type")
	c.PublishTo("one.type", 3)
	c.Each(3, check.Delivered)
	c.PublishTo("two.type", 2)
	c.Each(2, check.Dead)
	windows(c, "the one", sub.ID, 3, 0)
	windows(c, "the other", other.ID, 0, 2)
	all := c.Stats("")
	check.Equal(c, "Hour of the whole store", all.Hour, store.AttemptStats{})
	check.Equal(c, "Day of the whole store", all.Day, store.AttemptStats{})
}

// slot is by how much figures may reach back further than an hour or a day.
const slot = 5 * time.Minute

func testWindowHour(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(3)
	c.Pass(slot - time.Minute) // in a bubble time starts where a slot does
	c.Each(2, func(cl store.Claim) store.Outcome { return took(check.Delivered(cl), time.Second) })
	c.Pass(time.Hour - time.Minute)
	windows(c, "within the hour", sub.ID, 2, 0)
	c.Pass(2 * slot)
	c.Counts(took(check.Dead(c.ClaimOne()), 10*time.Millisecond))
	stats := c.Stats(sub.ID)
	window(c, "Hour after the hour", stats.Hour, 0, 1)
	within(c, "P50 of the hour", stats.Hour.P50, 10*time.Millisecond)
	window(c, "Day after the hour", stats.Day, 2, 1)
	within(c, "P50 of the day", stats.Day.P50, time.Second)
	c.Pass(23*time.Hour - 3*slot)
	window(c, "Hour within the day", c.Stats(sub.ID).Hour, 0, 0)
	window(c, "Day within the day", c.Stats(sub.ID).Day, 2, 1)
	c.Pass(3 * slot)
	window(c, "Day once the first are older than a day", c.Stats(sub.ID).Day, 0, 1)
	c.Pass(2 * time.Hour)
	if got := c.Stats(sub.ID); got.Hour != (store.AttemptStats{}) ||
		got.Day != (store.AttemptStats{}) {
		c.Errorf("once all are older than a day: got %+v and %+v, want zero", got.Hour, got.Day)
	}
}

func testWindowSliding(c *check.Driver) {
	sub := c.Subscribe()
	const steps = 26 * 6
	c.Publish(steps)
	for n := 1; n <= steps; n++ {
		c.Counts(check.Delivered(c.ClaimOne()))
		stats := c.Stats(sub.ID)
		for what, got := range map[string]struct{ count, max int }{
			"Hour": {stats.Hour.Delivered, 6},
			"Day":  {stats.Day.Delivered, 24 * 6},
		} {
			if want := min(n, got.max); got.count < want || got.count > want+1 {
				c.Errorf("%s after %d attempts, one in ten minutes: got %d, want %d", what, n,
					got.count, want)
			}
		}
		c.Pass(10 * time.Minute)
	}
}

func testWindowHealth(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(2)
	c.Each(2, check.Delivered)
	c.Update(sub.ID, func(s *store.Subscription) { s.URL = "https://new.example/" })
	windows(c, "after another URL", sub.ID, 2, 0)
	c.Unsubscribe(sub.ID, "")
	c.Resubscribe(sub.ID)
	windows(c, "after subscribing again", sub.ID, 2, 0)
}

func testWindowDeleted(c *check.Driver) {
	sub := c.NewSub()
	for n := range 2 {
		c.Create(sub)
		windows(c, fmt.Sprintf("of life %d before the first", n+1), sub.ID, 0, 0)
		c.Publish(2)
		c.Each(2, check.Delivered)
		windows(c, fmt.Sprintf("of life %d", n+1), sub.ID, 2, 0)
		c.Must("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx(), sub.ID))
	}
}

func testWindowRestart(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(4)
	c.Each(3, func(cl store.Claim) store.Outcome { return took(check.Delivered(cl), time.Second) })
	c.Pass(time.Minute) // what was counted in the last seconds may be missing
	c.Reopen()
	windows(c, "after a restart", sub.ID, 3, 0)
	within(c, "P95 after a restart", c.Stats(sub.ID).Day.P95, time.Second)
	c.Counts(check.Dead(c.ClaimOne()))
	windows(c, "in the same minutes", sub.ID, 3, 1)
	c.Pass(time.Hour + slot)
	c.Reopen()
	window(c, "Hour an hour later", c.Stats(sub.ID).Hour, 0, 0)
	window(c, "Day an hour later", c.Stats(sub.ID).Day, 3, 1)
	c.Pass(24 * time.Hour)
	c.Reopen()
	window(c, "Day a day later", c.Stats(sub.ID).Day, 0, 0)
}
