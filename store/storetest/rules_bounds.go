package storetest

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

func boundRules() []rule {
	return []rule{
		{name: "refused", test: testBoundsRefused,
			rule: "A duration, limit, time, state or status that is out of bounds is an *events.InvalidError that " +
				"names the field, says what to give instead, and changes nothing."},
		{name: "longest-lease", test: testBoundsLease,
			rule: "A lease of MaxDuration does not run out."},
		{name: "longest-retry", test: testBoundsRetry,
			rule: "A RetryIn of MaxDuration is not due before that time has passed."},
		{name: "longest-hold", test: testBoundsHold,
			rule: "A ProbeIn and a pause of MaxDuration keep the subscription for that time."},
		{name: "longest-retention", test: testBoundsRetention,
			rule: "A retention of MaxDuration, like one of zero, removes nothing."},
		{name: "largest-limit", test: testBoundsLimit,
			rule: "A limit of MaxLimit is no limit in practice."},
		{name: "times", test: testBoundsTimes,
			rule: "Times at the ends of what is allowed are kept, and select what they should."},
	}
}

// badCall is a call with one value that is out of bounds.
type badCall struct {
	field string
	do    func() error
}

// badCalls returns calls that must be refused. The claim must be leased.
func (c *check) badCalls(sub store.Subscription, leased store.Claim) []badCall {
	var calls []badCall
	for _, d := range []time.Duration{math.MinInt64, -1, store.MaxDuration + 1, math.MaxInt64} {
		calls = append(calls, c.badDurations(d, sub, leased)...)
	}
	for _, n := range []int{math.MinInt, -1, store.MaxLimit + 1, math.MaxInt} {
		calls = append(calls, c.badLimits(n)...)
	}
	for _, at := range []time.Time{
		time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Unix(math.MinInt64, 0), time.Unix(math.MaxInt64, 0),
	} {
		calls = append(calls, c.badTimes(at, sub, leased)...)
	}
	for _, status := range []int{math.MinInt, -1, store.MaxStatus + 1, math.MaxInt} {
		calls = append(calls, c.badOutcome("attempt.status", leased, func(o *store.Outcome) { o.Attempt.Status = status }))
	}
	for _, state := range []store.State{"", "lost", "Delivered"} {
		q := store.DeliveryQuery{States: []store.State{store.Dead, state}}
		calls = append(calls,
			c.badOutcome("state", leased, func(o *store.Outcome) { o.State = state }),
			badCall{"states", func() error { _, err := c.store.Deliveries(c.ctx, q); return err }},
			badCall{"states", func() error { _, err := c.store.Requeue(c.ctx, q); return err }})
	}
	long := make([]byte, store.MaxResponse+1)
	return append(calls,
		c.badOutcome("body_state", leased, func(o *store.Outcome) { o.BodyState = 4 }),
		c.badOutcome("body_override", leased, func(o *store.Outcome) { o.BodyOverride = long }),
		c.badOutcome("body_override", leased, func(o *store.Outcome) {
			o.BodyState, o.BodyOverride = store.BodyUnchanged, long
		}),
		c.badOutcome("attempt.response", leased, func(o *store.Outcome) { o.Attempt.Response = long }))
}

// badOutcome is a Finish of a good outcome and one that is not.
func (c *check) badOutcome(field string, cl store.Claim, spoil func(*store.Outcome)) badCall {
	return badCall{field, func() error {
		o := failed(cl, 0)
		spoil(&o)
		_, err := c.store.Finish(c.ctx, delivered(cl), o)
		return err
	}}
}

func (c *check) badDurations(d time.Duration, sub store.Subscription, leased store.Claim) []badCall {
	return []badCall{
		{"lease", func() error {
			_, err := c.store.Claim(c.ctx, store.ClaimRequest{Max: 1, Lease: d})
			return err
		}},
		{"pauses", func() error {
			pauses := []store.Pause{{SubscriptionID: sub.ID, For: c.long}, {SubscriptionID: sub.ID, For: d}}
			_, err := c.store.Claim(c.ctx, store.ClaimRequest{Max: 1, Lease: c.long, Pauses: pauses})
			return err
		}},
		{"retention.delivered", func() error {
			_, err := c.store.Prune(c.ctx, store.Retention{Delivered: d})
			return err
		}},
		{"retention.failed", func() error {
			_, err := c.store.Prune(c.ctx, store.Retention{Failed: d})
			return err
		}},
		c.badOutcome("retry_in", leased, func(o *store.Outcome) { o.RetryIn = d }),
		c.badOutcome("probe_in", leased, func(o *store.Outcome) { o.ProbeIn = d }),
		c.badOutcome("attempt.duration", leased, func(o *store.Outcome) { o.Attempt.Duration = d }),
	}
}

func (c *check) badLimits(n int) []badCall {
	claim := func(change func(*store.ClaimRequest)) func() error {
		req := store.ClaimRequest{Max: 1, Lease: c.long}
		change(&req)
		return func() error { _, err := c.store.Claim(c.ctx, req); return err }
	}
	calls := []badCall{
		{"per_subscription", claim(func(r *store.ClaimRequest) { r.PerSubscription = n })},
		{"max_unhealthy", claim(func(r *store.ClaimRequest) { r.MaxUnhealthy = n })},
		{"max_failing", claim(func(r *store.ClaimRequest) { r.MaxFailing = n })},
		{"breaker_threshold", claim(func(r *store.ClaimRequest) { r.BreakerThreshold = n })},
		{"limit", func() error { _, err := c.store.Deliveries(c.ctx, store.DeliveryQuery{Limit: n}); return err }},
		{"limit", func() error { _, err := c.store.Requeue(c.ctx, store.DeliveryQuery{Limit: n}); return err }},
		{"limit", func() error { _, _, err := c.store.Erase(c.ctx, store.EraseQuery{Limit: n}); return err }},
		{"limit", func() error {
			_, err := c.store.Subscriptions(c.ctx, store.SubscriptionQuery{Limit: n})
			return err
		}},
	}
	if n > 0 { // or else it claims none
		calls = append(calls, badCall{"max", claim(func(r *store.ClaimRequest) { r.Max = n })})
	}
	return calls
}

func (c *check) badTimes(at time.Time, sub store.Subscription, leased store.Claim) []badCall {
	return []badCall{
		{"since", func() error { _, err := c.store.Deliveries(c.ctx, store.DeliveryQuery{Since: at}); return err }},
		{"until", func() error { _, err := c.store.Deliveries(c.ctx, store.DeliveryQuery{Until: at}); return err }},
		{"since", func() error { _, err := c.store.Requeue(c.ctx, store.DeliveryQuery{Since: at}); return err }},
		{"until", func() error { _, err := c.store.Requeue(c.ctx, store.DeliveryQuery{Until: at}); return err }},
		{"time", func() error {
			ev := c.event("message.created")
			ev.Time = at
			return c.store.Enqueue(c.ctx, ev)
		}},
		{"overlap_until", func() error {
			created := c.newSub()
			created.OverlapUntil = at
			_, err := c.store.CreateSubscription(c.ctx, created)
			return err
		}},
		{"overlap_until", func() error {
			_, err := c.store.UpdateSubscription(c.ctx, sub.ID, func(s *store.Subscription) error {
				s.OverlapUntil, s.Name = at, "changed"
				return nil
			})
			return err
		}},
		c.badOutcome("attempt.at", leased, func(o *store.Outcome) { o.Attempt.At = at }),
	}
}

func testBoundsRefused(c *check) {
	sub, leased, _ := c.prepare()
	before := c.snapshot()
	for _, call := range c.badCalls(sub, leased) {
		err := call.do()
		var invalid *events.InvalidError
		switch {
		case !errors.As(err, &invalid):
			c.errorf("%s out of bounds: got error %v, want an *events.InvalidError", call.field, err)
		case invalid.Field != call.field:
			c.errorf("%s out of bounds: got error %v, want one that names it", call.field, err)
		case !strings.Contains(invalid.Reason, "; give "):
			c.errorf("%s out of bounds: got error %v, want one that says what to give", call.field, err)
		}
	}
	c.unchanged("after refused calls", before)
	c.counts(delivered(leased))
	equal(c, "claims", len(c.claim(10)), 1)
}

func testBoundsLease(c *check) {
	c.subscribe()
	c.publish(1)
	cl := c.claimWith(store.ClaimRequest{Max: 1, Lease: store.MaxDuration}).Claims
	equal(c, "claims", len(cl), 1)
	c.pass(c.short)
	next := c.claimWith(store.ClaimRequest{Max: 1})
	equal(c, "claims while it is leased", len(next.Claims), 0)
	c.about100Years("Wait", next.NextDue)
	equal(c, "InFlight", c.stats("").InFlight, 1)
	if len(cl) == 1 {
		c.counts(delivered(cl[0]))
	}
}

// about100Years checks that a time that began as MaxDuration has hardly passed.
func (c *check) about100Years(what string, d time.Duration) {
	const much = 24 * time.Hour
	if d < store.MaxDuration-much || d > store.MaxDuration+much {
		c.errorf("%s: got %v, want about %v", what, d, store.MaxDuration)
	}
}

func testBoundsRetry(c *check) {
	c.subscribe()
	c.publish(1)
	cl := c.claimOne()
	c.counts(failed(cl, store.MaxDuration))
	c.about100Years("DueAt, from now", time.Until(c.state(cl.Lease, store.Pending).DueAt))
	c.pass(c.short)
	next := c.claimWith(store.ClaimRequest{Max: 1})
	equal(c, "claims before it is due", len(next.Claims), 0)
	c.about100Years("Wait", next.NextDue)
}

func testBoundsHold(c *check) {
	sub := c.subscribe()
	c.publish(2)
	h := c.counts(held(c.claimOne(), 0, store.MaxDuration)).After
	c.about100Years("NextProbeAt, from now", time.Until(h.NextProbeAt))
	c.pass(c.short)
	next := c.claimWith(store.ClaimRequest{Max: 10})
	equal(c, "claims while it is held", len(next.Claims), 0)
	c.about100Years("Wait", next.NextDue)

	c.update(sub.ID, func(s *store.Subscription) { s.URL += "/new" }) // which ends the hold
	c.pause(sub.ID, store.MaxDuration)
	next = c.claimWith(store.ClaimRequest{Max: 10})
	equal(c, "claims while it is paused", len(next.Claims), 0)
	c.about100Years("Wait", next.NextDue)
	c.pause(sub.ID, 0)
	equal(c, "claims after the pause has ended", len(c.claim(10)), 2)
}

func testBoundsRetention(c *check) {
	c.subscribe()
	c.publish(3)
	claims := c.claim(3)
	c.finish(delivered(claims[0]), dead(claims[1]), canceled(claims[2], "filtered"))
	c.pass(c.short)
	for _, keep := range []time.Duration{store.MaxDuration, 0} {
		c.prune(store.Retention{Delivered: keep, Failed: keep})
		equal(c, "deliveries that were kept for "+keep.String(), len(c.everything()), 3)
	}
}

func testBoundsLimit(c *check) {
	c.subscribe()
	c.subscribe()
	ids := c.publish(3)
	const most = store.MaxLimit
	claims := c.claimWith(store.ClaimRequest{
		Max: most, PerSubscription: most, MaxUnhealthy: most, MaxFailing: most, BreakerThreshold: most,
	}).Claims
	equal(c, "claims", len(claims), 6)
	for _, cl := range claims {
		c.counts(dead(cl))
	}
	page, err := c.store.Deliveries(c.ctx, store.DeliveryQuery{Limit: most})
	c.must("Deliveries", err)
	equal(c, "deliveries on the first page", len(page.Items), 6)
	equal(c, "Next", page.Next, "")
	first, err := c.store.Deliveries(c.ctx, store.DeliveryQuery{Limit: 2})
	c.must("Deliveries", err)
	page, err = c.store.Deliveries(c.ctx, store.DeliveryQuery{Limit: most, Cursor: first.Next})
	c.must("Deliveries", err)
	equal(c, "deliveries on the second page", len(page.Items), 4)
	subs, err := c.store.Subscriptions(c.ctx, store.SubscriptionQuery{Limit: most})
	c.must("Subscriptions", err)
	equal(c, "subscriptions", len(subs.Items), 2)
	r, err := c.store.Requeue(c.ctx, store.DeliveryQuery{Limit: most})
	c.must("Requeue", err)
	equal(c, "requeued", r.Requeued, 6)
	equal(c, "cursor of Requeue", r.Next, "")
	equal(c, "erased", c.erase(store.EraseQuery{Limit: most}), len(ids))
}

func testBoundsTimes(c *check) {
	first, last := time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	sub := c.newSub()
	sub.OverlapUntil = last
	equal(c, "OverlapUntil, created", c.create(sub).OverlapUntil.Equal(last), true)
	got := c.update(sub.ID, func(s *store.Subscription) { s.OverlapUntil = first })
	equal(c, "OverlapUntil, updated", got.OverlapUntil.Equal(first), true)

	ev := c.event("message.created")
	ev.Time = last
	c.enqueue(ev)
	for _, at := range []time.Time{first, last, {}} {
		cl := c.claimOne()
		if !cl.EventTime.Equal(last) {
			c.errorf("EventTime: got %v, want %v", cl.EventTime, last)
		}
		o := failed(cl, 0)
		o.Attempt.At = at
		c.counts(o)
		attempts := c.attempts(cl.Lease)
		if got := attempts[len(attempts)-1].At; !got.Equal(at) {
			c.errorf("At: got %v, want %v", got, at)
		}
		c.pass(0)
	}
	for _, tc := range []struct {
		since, until time.Time
		want         int
	}{{first, last, 1}, {first, time.Time{}, 1}, {time.Time{}, last, 1}, {last, time.Time{}, 0}, {time.Time{}, first, 0}} {
		got := c.deliveries(store.DeliveryQuery{Since: tc.since, Until: tc.until})
		if len(got) != tc.want {
			c.errorf("deliveries since %v, until %v: got %d, want %d", tc.since, tc.until, len(got), tc.want)
		}
	}
}
