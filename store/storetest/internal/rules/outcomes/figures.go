package outcomes

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func figuresRules() []check.Rule {
	return []check.Rule{
		{Name: "apart", Test: testFiguresApart,
			Sentence: "Figures of a subscription, of a tenant and of all have the attempts of " +
				"each."},
		{Name: "answers", Test: testFiguresAnswers,
			Sentence: "Figures count answers by how long they took, to within a tenth."},
		{Name: "minutes", Test: testFiguresMinutes, Days: true,
			Sentence: "By the minute there are 60 figures, the last of the present minute; each " +
				"has its own attempts."},
		{Name: "hours", Test: testFiguresHours, Days: true,
			Sentence: "By the hour there are 72 figures, the last of the present hour; each has " +
				"its own attempts."},
		{Name: "deleted", Test: testFiguresDeleted, Days: true,
			Sentence: "A subscription that is deleted has no figures, and stays in those of all."},
		{Name: "restart", Test: testFiguresRestart, Days: true, Restarts: true,
			Sentence: "Figures survive a restart."},
		{Name: "invalid", Test: testFiguresInvalid,
			Sentence: "Figures are in one of two resolutions; an unknown subscription is not " +
				"found, and an unknown tenant has none."},
	}
}

// everything is what figures can be of: a subscription, its tenant, and all.
func everything(sub store.Subscription, per store.Resolution) map[string]store.FiguresQuery {
	return map[string]store.FiguresQuery{
		"of the subscription": {SubscriptionID: sub.ID, Per: per},
		"of the tenant":       {Tenant: sub.Tenant, Per: per},
		"of all":              {AnyTenant: true, Per: per},
	}
}

// sum adds up figures.
func sum(f store.Figures) (all store.Figure) {
	for i := range f.Sums {
		all.Add(&f.Sums[i])
	}
	return all
}

// figures checks the sums of both resolutions.
func figures(c *check.Driver, what string, q store.FiguresQuery, delivered, failed int) {
	for _, q.Per = range []store.Resolution{store.PerMinute, store.PerHour} {
		all := sum(c.Figures(q))
		window(c, what, all.Stats(), delivered, failed)
	}
}

// figureAt checks the counts of the figure that was so many before the last, and that all others
// but the given ones are zero.
func figureAt(c *check.Driver, what string, q store.FiguresQuery, want map[int]int) {
	f := c.Figures(q)
	check.Equal(c, what+": how many", len(f.Sums), q.Per.Count())
	check.Equal(c, what+": how long each", f.Each, q.Per.Each())
	for i := range f.Sums {
		ago := len(f.Sums) - 1 - i
		if got := f.Sums[i].Delivered; got != want[ago] {
			c.Errorf("%s: got %d delivered %d before the last, want %d", what, got, ago, want[ago])
		}
	}
}

func testFiguresApart(c *check.Driver) {
	one, two := c.NewSub("one.type"), c.NewSub("two.type")
	other := c.NewSub("one.type")
	other.Tenant = "other"
	for _, sub := range []store.Subscription{one, two, other} {
		c.Create(sub)
	}
	c.PublishTo("one.type", 3)
	c.Each(3, check.Delivered)
	c.PublishTo("two.type", 2)
	c.Each(2, check.Dead)
	evs := c.Messages(1)
	evs[0].Type, evs[0].Tenant = "one.type", "other"
	c.Enqueue(evs...)
	c.Each(1, check.Delivered)
	figures(c, "of the one", store.FiguresQuery{SubscriptionID: one.ID}, 3, 0)
	figures(c, "of the two", store.FiguresQuery{SubscriptionID: two.ID}, 0, 2)
	figures(c, "of their tenant", store.FiguresQuery{}, 3, 2)
	figures(c, "of the other tenant", store.FiguresQuery{Tenant: "other"}, 1, 0)
	figures(c, "of all", store.FiguresQuery{AnyTenant: true}, 4, 2)
}

func testFiguresAnswers(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(3)
	claims := c.Claim(3)
	check.Equal(c, "claims", len(claims), 3)
	c.Counts(took(check.Delivered(claims[0]), 40*time.Millisecond))
	c.Counts(took(check.Delivered(claims[1]), 9*time.Second))
	timeout := took(check.Dead(claims[2]), 15*time.Second)
	timeout.Attempt.Status = 0
	c.Counts(timeout) // which is no answer
	for what, q := range everything(sub, store.PerHour) {
		all := sum(c.Figures(q))
		window(c, what, all.Stats(), 2, 1)
		if len(all.Answers) != 2 || all.Answers[0].Count != 1 || all.Answers[1].Count != 1 {
			c.Errorf("%s: got the answers %+v, want two apart", what, all.Answers)
			continue
		}
		within(c, what+": the quick one", all.Answers[0].Took, 40*time.Millisecond)
		within(c, what+": the slow one", all.Answers[1].Took, 9*time.Second)
	}
}

func testFiguresMinutes(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(6)
	want := make(map[int]int)
	for n := range 3 { // in a bubble time starts where a minute, and an hour, does
		c.Each(n+1, check.Delivered)
		want[2-n] = n + 1
		if n < 2 {
			c.Pass(time.Minute)
		}
	}
	for what, q := range everything(sub, store.PerMinute) {
		figureAt(c, what, q, want)
	}
	c.Pass(58 * time.Minute)
	for what, q := range everything(sub, store.PerMinute) {
		figureAt(c, what+" after 58 minutes", q, map[int]int{59: 2, 58: 3})
	}
	c.Pass(2 * time.Minute)
	for what, q := range everything(sub, store.PerMinute) {
		figureAt(c, what+" after an hour", q, nil)
	}
	for what, q := range everything(sub, store.PerHour) {
		figureAt(c, what+" after an hour", q, map[int]int{1: 6})
	}
}

func testFiguresHours(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(6)
	for _, n := range []int{1, 2, 3} {
		c.Each(n, check.Delivered)
		c.Pass(35 * time.Hour)
		c.Prune(store.Retention{})
	}
	c.Pass(time.Hour)
	for what, q := range everything(sub, store.PerHour) {
		figureAt(c, what, q, map[int]int{71: 2, 36: 3})
	}
}

func testFiguresDeleted(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(2)
	c.Each(2, check.Delivered)
	c.Pass(time.Minute) // what was counted in the last seconds may be missing
	c.Must("DeleteSubscription", c.Store.DeleteSubscription(c.Ctx(), sub.ID))
	figures(c, "of the tenant", store.FiguresQuery{}, 0, 0)
	figures(c, "of all", store.FiguresQuery{AnyTenant: true}, 2, 0)
}

func testFiguresRestart(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(3)
	c.Each(2, check.Delivered)
	c.Pass(time.Minute)
	c.Reopen()
	c.Each(1, check.Delivered)
	for what, q := range everything(sub, store.PerMinute) {
		figureAt(c, what, q, map[int]int{1: 2, 0: 1})
	}
	for what, q := range everything(sub, store.PerHour) {
		figureAt(c, what, q, map[int]int{0: 3})
	}
}

func testFiguresInvalid(c *check.Driver) {
	_, err := c.Store.Figures(c.Ctx(), store.FiguresQuery{SubscriptionID: c.NewSub().ID})
	c.Is("Figures of an unknown subscription", err, store.ErrNotFound)
	figures(c, "of an unknown tenant", store.FiguresQuery{Tenant: "unknown"}, 0, 0)
	_, err = c.Store.Figures(c.Ctx(), store.FiguresQuery{Per: store.PerHour + 1})
	c.Invalid("Figures of an unknown resolution", err)
}
