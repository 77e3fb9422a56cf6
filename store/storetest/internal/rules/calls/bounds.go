package calls

import (
	"errors"
	"math"
	"strings"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func boundRules() []check.Rule {
	return []check.Rule{
		{Name: "refused", Test: testBoundsRefused,
			Sentence: "A duration, limit, time, state or status that is out of bounds is an " +
				"*events.InvalidError that names the field, says what to give instead, and " +
				"changes nothing."},
		{Name: "longest-lease", Test: testBoundsLease,
			Sentence: "A lease of MaxDuration does not run out."},
		{Name: "longest-retry", Test: testBoundsRetry,
			Sentence: "A RetryIn of MaxDuration is not due before that time has passed."},
		{Name: "longest-hold", Test: testBoundsHold,
			Sentence: "A probe and a pause of MaxDuration hold the subscription for that time."},
		{Name: "longest-retention", Test: testBoundsRetention,
			Sentence: "A retention of MaxDuration, like one of zero, removes nothing."},
		{Name: "largest-limit", Test: testBoundsLimit,
			Sentence: "A limit of MaxLimit takes everything and does not overflow."},
		{Name: "times", Test: testBoundsTimes,
			Sentence: "The earliest and the latest time are stored exactly and select correctly " +
				"in queries."},
	}
}

// badCall is a call with one value that is out of bounds.
type badCall struct {
	Field string
	Do    func() error
}

// BadCalls returns calls that must be refused. The claim must be leased.
func BadCalls(c *check.Driver, sub store.Subscription, leased store.Claim) []badCall {
	var calls []badCall
	for _, d := range []time.Duration{math.MinInt64, -1, store.MaxDuration + 1, math.MaxInt64} {
		calls = append(calls, badDurations(c, d, sub, leased)...)
	}
	nobodys := store.DeliveryQuery{AnyTenant: true, EventID: leased.EventID}
	if nobodys.EventID == "" {
		nobodys.EventID = "some-event"
	}
	calls = append(calls,
		badCall{"event_id", func() error {
			_, err := c.Store.Deliveries(c.Ctx(), nobodys)
			return err
		}},
		badCall{"event_id", func() error {
			_, err := c.Store.Requeue(c.Ctx(), nobodys)
			return err
		}})
	for _, n := range []int{math.MinInt, -1, store.MaxLimit + 1, math.MaxInt} {
		calls = append(calls, badLimits(c, n)...)
	}
	for _, at := range []time.Time{
		time.Date(0, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Unix(math.MinInt64, 0), time.Unix(math.MaxInt64, 0),
	} {
		calls = append(calls, badTimes(c, at, sub, leased)...)
	}
	for _, status := range []int{math.MinInt, -1, store.MaxStatus + 1, math.MaxInt} {
		calls = append(calls, badOutcome(c, "attempt.status", leased, func(o *store.Outcome) {
			o.Attempt.Status = status
		}))
	}
	for _, r := range []store.StatusRange{{From: -1, To: 200}, {From: 500, To: 499},
		{From: 1, To: store.MaxStatus + 1}} {
		q := store.DeliveryQuery{LastStatus: r}
		calls = append(calls, badCall{"last_status", func() error {
			_, err := c.Store.Deliveries(c.Ctx(), q)
			return err
		}}, badCall{"last_status", func() error {
			_, err := c.Store.Requeue(c.Ctx(), q)
			return err
		}})
	}
	for _, state := range []store.State{"", "lost", "Delivered"} {
		q := store.DeliveryQuery{States: []store.State{store.Dead, state}}
		calls = append(calls,
			badOutcome(c, "state", leased, func(o *store.Outcome) { o.State = state }),
			badCall{"states", func() error { _, err := c.Store.Deliveries(c.Ctx(), q); return err }},
			badCall{"states", func() error { _, err := c.Store.Requeue(c.Ctx(), q); return err }})
	}
	long := make([]byte, store.MaxResponse+1)
	calls = append(calls, badDetails(c, leased)...)
	return append(calls,
		badOutcome(c, "body_state", leased, func(o *store.Outcome) { o.BodyState = 5 }),
		badOutcome(c, "body_override", leased, func(o *store.Outcome) { o.BodyOverride = long }),
		badOutcome(c, "body_override", leased, func(o *store.Outcome) {
			o.BodyState, o.BodyOverride = store.BodyUnchanged, long
		}),
		badOutcome(c, "attempt.response", leased, func(o *store.Outcome) {
			o.Attempt.Response = long
		}))
}

// badDetails returns outcomes whose detail is out of bounds.
func badDetails(c *check.Driver, leased store.Claim) []badCall {
	bad := func(field string, spoil func(*store.AttemptDetail)) badCall {
		return badOutcome(c, "attempt.detail."+field, leased, func(o *store.Outcome) {
			spoil(o.Attempt.Detail)
		})
	}
	long := strings.Repeat("x", store.MaxDetailHeaders-store.HeaderFieldOverhead+1)
	return []badCall{
		bad("request", func(d *store.AttemptDetail) {
			d.Request = []store.HeaderField{{Value: long}}
		}),
		bad("answer", func(d *store.AttemptDetail) {
			d.Answer = make([]store.HeaderField, store.MaxDetailHeaders/store.HeaderFieldOverhead+1)
		}),
		bad("remote_address", func(d *store.AttemptDetail) { d.RemoteAddress = long }),
		bad("dns", func(d *store.AttemptDetail) { d.DNS = -1 }),
		bad("connect", func(d *store.AttemptDetail) { d.Connect = store.MaxDuration + 1 }),
		bad("tls", func(d *store.AttemptDetail) { d.TLS = math.MinInt64 }),
		bad("first_byte", func(d *store.AttemptDetail) { d.FirstByte = math.MaxInt64 }),
		bad("sealed", func(d *store.AttemptDetail) {
			d.Sealed = make([]byte, store.MaxSealedDetail+1)
		}),
	}
}

// badOutcome is a Finish of a good outcome and one that is not.
func badOutcome(c *check.Driver, field string, cl store.Claim, spoil func(*store.Outcome)) badCall {
	return badCall{field, func() error {
		o := check.Failed(cl, 0)
		spoil(&o)
		_, err := c.Store.Finish(c.Ctx(), check.Delivered(cl), o)
		return err
	}}
}

func badDurations(c *check.Driver, d time.Duration, sub store.Subscription,
	leased store.Claim) []badCall {
	return []badCall{
		{"lease", func() error {
			_, err := c.Store.Claim(c.Ctx(), store.ClaimRequest{Max: 1, Lease: d})
			return err
		}},
		{"pauses", func() error {
			pauses := []store.Pause{{SubscriptionID: sub.ID, For: c.Long},
				{SubscriptionID: sub.ID, For: d}}
			_, err := c.Store.Claim(c.Ctx(),
				store.ClaimRequest{Max: 1, Lease: c.Long, Pauses: pauses})
			return err
		}},
		{"retention.delivered", func() error {
			_, err := c.Store.Prune(c.Ctx(), store.Retention{Delivered: d})
			return err
		}},
		{"retention.failed", func() error {
			_, err := c.Store.Prune(c.Ctx(), store.Retention{Failed: d})
			return err
		}},
		badOutcome(c, "retry_in", leased, func(o *store.Outcome) { o.RetryIn = d }),
		badOutcome(c, "probe.first", leased, func(o *store.Outcome) { o.Probe.First = d }),
		badOutcome(c, "probe.max", leased, func(o *store.Outcome) { o.Probe.Max = d }),
		badOutcome(c, "throttle_for", leased, func(o *store.Outcome) {
			o.Effect, o.ThrottleFor = store.EffectThrottled, d
		}),
		badOutcome(c, "attempt.duration", leased, func(o *store.Outcome) {
			o.Attempt.Duration = d
		}),
	}
}

func badLimits(c *check.Driver, n int) []badCall {
	claim := func(change func(*store.ClaimRequest)) func() error {
		req := store.ClaimRequest{Max: 1, Lease: c.Long}
		change(&req)
		return func() error { _, err := c.Store.Claim(c.Ctx(), req); return err }
	}
	calls := []badCall{
		{"per_subscription", claim(func(r *store.ClaimRequest) { r.PerSubscription = n })},
		{"pauses.limit", claim(func(r *store.ClaimRequest) {
			r.Pauses = []store.Pause{{For: c.Long}, {For: c.Long, Limit: n}}
		})},
		{"max_unhealthy", claim(func(r *store.ClaimRequest) { r.MaxUnhealthy = n })},
		{"max_failing", claim(func(r *store.ClaimRequest) { r.MaxFailing = n })},
		{"breaker_threshold", claim(func(r *store.ClaimRequest) { r.BreakerThreshold = n })},
		{"limit", func() error {
			_, err := c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{Limit: n})
			return err
		}},
		{"limit", func() error {
			_, err := c.Store.Requeue(c.Ctx(), store.DeliveryQuery{Limit: n})
			return err
		}},
		{"limit", func() error {
			_, _, err := c.Store.Erase(c.Ctx(), store.EraseQuery{Limit: n})
			return err
		}},
		{"limit", func() error {
			_, err := c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{Limit: n})
			return err
		}},
	}
	if n > 0 { // or else it claims none
		calls = append(calls, badCall{"max", claim(func(r *store.ClaimRequest) { r.Max = n })})
	}
	return calls
}

func badTimes(c *check.Driver, at time.Time, sub store.Subscription, leased store.Claim) []badCall {
	return []badCall{
		{"since", func() error {
			_, err := c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{Since: at})
			return err
		}},
		{"until", func() error {
			_, err := c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{Until: at})
			return err
		}},
		{"since", func() error {
			_, err := c.Store.Requeue(c.Ctx(), store.DeliveryQuery{Since: at})
			return err
		}},
		{"until", func() error {
			_, err := c.Store.Requeue(c.Ctx(), store.DeliveryQuery{Until: at})
			return err
		}},
		{"time", func() error {
			ev := c.Event("message.created")
			ev.Time = at
			return c.Store.Enqueue(c.Ctx(), ev)
		}},
		{"overlap_until", func() error {
			created := c.NewSub()
			created.OverlapUntil = at
			_, err := c.Store.CreateSubscription(c.Ctx(), created)
			return err
		}},
		{"overlap_until", func() error {
			_, err := c.Store.UpdateSubscription(c.Ctx(), sub.ID, func(s *store.Subscription) error {
				s.OverlapUntil, s.Name = at, "changed"
				return nil
			})
			return err
		}},
		badOutcome(c, "attempt.at", leased, func(o *store.Outcome) { o.Attempt.At = at }),
	}
}

func testBoundsRefused(c *check.Driver) {
	sub, leased, _ := prepare(c)
	before := c.Snapshot()
	for _, call := range BadCalls(c, sub, leased) {
		err := call.Do()
		var invalid *events.InvalidError
		switch {
		case !errors.As(err, &invalid):
			c.Errorf("%s out of bounds: got error %v, want an *events.InvalidError", call.Field,
				err)
		case invalid.Field != call.Field:
			c.Errorf("%s out of bounds: got error %v, want one that names it", call.Field, err)
		case !strings.Contains(invalid.Reason, "; give "):
			c.Errorf("%s out of bounds: got error %v, want one that says what to give", call.Field,
				err)
		}
	}
	check.Unchanged(c, "after refused calls", before)
	c.Counts(check.Delivered(leased))
	check.Equal(c, "claims", len(c.Claim(10)), 1)
}

func testBoundsLease(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	cl := c.ClaimWith(store.ClaimRequest{Max: 1, Lease: store.MaxDuration}).Claims
	check.Equal(c, "claims", len(cl), 1)
	c.Pass(c.Short)
	next := c.ClaimWith(store.ClaimRequest{Max: 1})
	check.Equal(c, "claims while it is leased", len(next.Claims), 0)
	about100Years(c, "NextDue", next.NextDue)
	check.Equal(c, "InFlight", c.Stats("").InFlight, 1)
	if len(cl) == 1 {
		c.Counts(check.Delivered(cl[0]))
	}
}

// about100Years checks that a time that began as MaxDuration has hardly passed.
func about100Years(c *check.Driver, what string, d time.Duration) {
	const much = 24 * time.Hour
	if d < store.MaxDuration-much || d > store.MaxDuration+much {
		c.Errorf("%s: got %v, want about %v", what, d, store.MaxDuration)
	}
}

func testBoundsRetry(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	cl := c.ClaimOne()
	c.Counts(check.Failed(cl, store.MaxDuration))
	about100Years(c, "DueAt, from now", time.Until(c.State(cl.Lease, store.Pending).DueAt))
	c.Pass(c.Short)
	next := c.ClaimWith(store.ClaimRequest{Max: 1})
	check.Equal(c, "claims before it is due", len(next.Claims), 0)
	about100Years(c, "NextDue", next.NextDue)
}

func testBoundsHold(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(2)
	h := c.Counts(check.Held(c.ClaimOne(), 0, store.MaxDuration)).After
	about100Years(c, "NextProbeAt, from now", time.Until(h.NextProbeAt))
	c.Pass(c.Short)
	next := c.ClaimWith(store.ClaimRequest{Max: 10})
	check.Equal(c, "claims while it is held", len(next.Claims), 0)
	about100Years(c, "NextDue", next.NextDue)

	c.Update(sub.ID, func(s *store.Subscription) { s.URL += "/new" }) // which ends the hold
	c.Pause(sub.ID, store.MaxDuration)
	next = c.ClaimWith(store.ClaimRequest{Max: 10})
	check.Equal(c, "claims while it is paused", len(next.Claims), 0)
	about100Years(c, "NextDue", next.NextDue)
	c.Pause(sub.ID, 0)
	check.Equal(c, "claims after the pause has ended", len(c.Claim(10)), 2)
}

func testBoundsRetention(c *check.Driver) {
	c.Subscribe()
	c.Publish(3)
	claims := c.Claim(3)
	c.Finish(check.Delivered(claims[0]), check.Dead(claims[1]),
		check.Canceled(claims[2], "filtered"))
	c.Pass(c.Short)
	for _, keep := range []time.Duration{store.MaxDuration, 0} {
		c.Prune(store.Retention{Delivered: keep, Failed: keep})
		check.Equal(c, "deliveries that were kept for "+keep.String(), len(c.Everything()), 3)
	}
}

func testBoundsLimit(c *check.Driver) {
	c.Subscribe()
	c.Subscribe()
	ids := c.Publish(3)
	const most = store.MaxLimit
	claims := c.ClaimWith(store.ClaimRequest{
		Max: most, PerSubscription: most, MaxUnhealthy: most, MaxFailing: most,
		BreakerThreshold: most,
	}).Claims
	check.Equal(c, "claims", len(claims), 6)
	for _, cl := range claims {
		c.Counts(check.Dead(cl))
	}
	page, err := c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{Limit: most})
	c.Must("Deliveries", err)
	check.Equal(c, "deliveries on the first page", len(page.Items), 6)
	check.Equal(c, "Next", page.Next, "")
	first, err := c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{Limit: 2})
	c.Must("Deliveries", err)
	page, err = c.Store.Deliveries(c.Ctx(), store.DeliveryQuery{Limit: most, Cursor: first.Next})
	c.Must("Deliveries", err)
	check.Equal(c, "deliveries on the second page", len(page.Items), 4)
	subs, err := c.Store.Subscriptions(c.Ctx(), store.SubscriptionQuery{Limit: most})
	c.Must("Subscriptions", err)
	check.Equal(c, "subscriptions", len(subs.Items), 2)
	r, err := c.Store.Requeue(c.Ctx(), store.DeliveryQuery{Limit: most})
	c.Must("Requeue", err)
	check.Equal(c, "requeued", r.Requeued, 6)
	check.Equal(c, "cursor of Requeue", r.Next, "")
	check.Equal(c, "erased", c.Erase(store.EraseQuery{Limit: most}), len(ids))
}

func testBoundsTimes(c *check.Driver) {
	first, last := time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	sub := c.NewSub()
	sub.OverlapUntil = last
	check.Equal(c, "OverlapUntil, created", c.Create(sub).OverlapUntil.Equal(last), true)
	got := c.Update(sub.ID, func(s *store.Subscription) { s.OverlapUntil = first })
	check.Equal(c, "OverlapUntil, updated", got.OverlapUntil.Equal(first), true)

	ev := c.Event("message.created")
	ev.Time = last
	c.Enqueue(ev)
	for _, at := range []time.Time{first, last, {}} {
		cl := c.ClaimOne()
		if !cl.EventTime.Equal(last) {
			c.Errorf("EventTime: got %v, want %v", cl.EventTime, last)
		}
		o := check.Failed(cl, 0)
		o.Attempt.At = at
		c.Counts(o)
		attempts := c.Attempts(cl.Lease)
		if got := attempts[len(attempts)-1].At; !got.Equal(at) {
			c.Errorf("At: got %v, want %v", got, at)
		}
		c.Pass(0)
	}
	for _, tc := range []struct {
		since, until time.Time
		want         int
	}{{first, last, 1}, {first, time.Time{}, 1}, {time.Time{}, last, 1}, {last, time.Time{}, 0},
		{time.Time{}, first, 0}} {
		got := c.Deliveries(store.DeliveryQuery{Since: tc.since, Until: tc.until})
		if len(got) != tc.want {
			c.Errorf("deliveries since %v, until %v: got %d, want %d", tc.since, tc.until, len(got),
				tc.want)
		}
	}
}
