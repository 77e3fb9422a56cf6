package outcomes

import (
	"strings"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func finishRules() []check.Rule {
	return []check.Rule{
		{Name: "delivered", Test: testFinishDelivered,
			Sentence: "Finish with Delivered ends the delivery as delivered."},
		{Name: "dead", Test: testFinishDead,
			Sentence: "Finish with Dead ends the delivery as dead."},
		{Name: "pending", Test: testFinishPending,
			Sentence: "Finish with Pending makes the delivery due again after RetryIn."},
		{Name: "attempt", Test: testFinishAttempt,
			Sentence: "The attempt is recorded with all its fields."},
		{Name: "details", Test: testFinishDetails,
			Sentence: "The newest MaxDetails attempts of a delivery keep their Detail, and all " +
				"the rest of theirs."},
		{Name: "results", Test: testFinishResults,
			Sentence: "Finish returns one Result for each outcome, in order."},
		{Name: "late-failure", Test: testLateFailure,
			Sentence: "With a token that is not the present one, a failure is ignored."},
		{Name: "late-success", Test: testLateSuccess,
			Sentence: "With a token that is not the present one, a success still ends a pending " +
				"delivery."},
		{Name: "late-success-number", Test: testLateSuccessNumber,
			Sentence: "The attempt of a late success is recorded, and numbered as it is recorded."},
		{Name: "late-success-canceled", Test: testLateSuccessCanceled,
			Sentence: "With a token that is not the present one, a success still ends a " +
				"canceled delivery."},
		{Name: "late-success-over", Test: testLateSuccessOver,
			Sentence: "An outcome for a delivery that is delivered or dead is ignored."},
		{Name: "run-out", Test: testRunOut,
			Sentence: "A lease that has run out but was not claimed again still counts."},
		{Name: "again", Test: testFinishAgain,
			Sentence: "Calling again with the same outcomes is safe: they are then ignored."},
		{Name: "unknown", Test: testFinishUnknown,
			Sentence: "Outcomes of deliveries that are not there, or not claimed, are ignored, " +
				"and the others count."},
		{Name: "room", Test: testFinishRoom,
			Sentence: "A finished claim no longer counts against the limits of Claim."},
		{Name: "nothing", Sentence: "Finish of no outcomes does nothing.",
			Test: func(c *check.Driver) {
				c.Subscribe()
				c.Publish(1)
				c.Finish()
				check.Equal(c, "claims", len(c.Claim(10)), 1)
			}},
	}
}

func testFinishDelivered(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	c.Counts(check.Failed(c.ClaimOne(), 0))
	cl := c.ClaimOne()
	c.Counts(check.Delivered(cl))
	d := c.State(cl.Lease, store.Delivered)
	check.Equal(c, "Attempts", d.Attempts, 2)
	check.Equal(c, "LastStatus", d.LastStatus, 200)
	check.Equal(c, "LastError", d.LastError, "")
	c.Near("FinishedAt", d.FinishedAt, time.Now())
	if !d.DueAt.IsZero() {
		c.Errorf("DueAt: got %v, want zero", d.DueAt)
	}
	check.Equal(c, "claims", len(c.Claim(10)), 0)
	check.Equal(c, "Pending", c.Stats("").Pending, 0)
}

func testFinishDead(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	cl := c.ClaimOne()
	c.Counts(check.Dead(cl))
	d := c.State(cl.Lease, store.Dead)
	check.Equal(c, "Attempts", d.Attempts, 1)
	check.Equal(c, "LastStatus", d.LastStatus, 410)
	check.Equal(c, "LastError", d.LastError, "gone")
	c.Near("FinishedAt", d.FinishedAt, time.Now())
	check.Equal(c, "claims", len(c.Claim(10)), 0)
}

func testFinishPending(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	cl := c.ClaimOne()
	c.Counts(check.Failed(cl, c.Long))
	d := c.State(cl.Lease, store.Pending)
	check.Equal(c, "Attempts", d.Attempts, 1)
	check.Equal(c, "LastStatus", d.LastStatus, 500)
	check.Equal(c, "LastError", d.LastError, "http_status")
	c.Near("DueAt", d.DueAt, time.Now().Add(c.Long))
	if !d.FinishedAt.IsZero() {
		c.Errorf("FinishedAt: got %v, want zero", d.FinishedAt)
	}
	check.Equal(c, "InFlight", c.Stats("").InFlight, 0)
	check.Equal(c, "Pending", c.Stats("").Pending, 1)
}

func testFinishAttempt(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	want := []store.Attempt{
		{Number: 1, At: time.Now(), Duration: 1500 * time.Millisecond, Error: "timeout"},
		{Number: 2, At: time.Now().Add(-time.Hour), Status: 503,
			Response: make([]byte, store.MaxResponse), Error: "x", Detail: largestDetail()},
		{Number: 3, At: time.Now(), Duration: time.Millisecond, Status: 200,
			Response: []byte("ok")},
	}
	for i, a := range want {
		cl := c.ClaimOne()
		o := check.Failed(cl, 0)
		if i == len(want)-1 {
			o = check.Delivered(cl)
		}
		o.Attempt = a
		c.Counts(o)
		got := c.Attempts(cl.Lease)
		if len(got) != i+1 {
			c.Fatalf("attempts: got %d, want %d", len(got), i+1)
		}
		for j := range got {
			c.SameAttempt("an attempt", got[j], want[j])
		}
	}
}

func testFinishDetails(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	const n = store.MaxDetails + 3
	for tried := 1; tried <= n; tried++ {
		cl := c.ClaimOne()
		o := check.Failed(cl, 0)
		c.Counts(o)
		got := c.Attempts(cl.Lease)
		check.Equal(c, "attempts", len(got), tried)
		details := 0
		for i := range got {
			if a := &got[i]; (a.Detail != nil) != store.KeepsDetail(a.Number, tried) {
				c.Errorf("attempt %d of %d: got the detail %+v, want those of the newest %d",
					a.Number, tried, a.Detail, store.MaxDetails)
			}
			if got[i].Detail != nil {
				details++
			}
			check.Equal(c, "Error", got[i].Error, o.Attempt.Error)
			check.Equal(c, "Response", string(got[i].Response), string(o.Attempt.Response))
		}
		check.Equal(c, "details", details, min(tried, store.MaxDetails))
		c.SameDetail("the newest", got[tried-1].Detail, o.Attempt.Detail)
	}
}

// largestDetail returns a detail at all its bounds.
func largestDetail() *store.AttemptDetail {
	n := store.MaxDetailHeaders - store.HeaderFieldOverhead
	return &store.AttemptDetail{
		Request:       []store.HeaderField{{Name: "A", Value: strings.Repeat("\x00", n-1)}},
		Answer:        []store.HeaderField{{Name: strings.Repeat("\xff", n)}},
		RequestCut:    true,
		AnswerCut:     true,
		Reused:        true,
		RemoteAddress: strings.Repeat("9", store.MaxRemoteAddress),
		DNS:           store.MaxDuration, Connect: store.MaxDuration, TLS: store.MaxDuration,
		FirstByte: store.MaxDuration,
	}
}

func testFinishResults(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(4)
	claims := c.Claim(4)
	stale := claims[3]
	c.Release(stale)
	got := c.Finish(check.Failed(claims[0], 0), check.Failed(stale, 0), check.Delivered(claims[1]),
		check.Dead(claims[2]))
	failed, healed := store.Health{Failures: 1}, store.Health{Healthy: true, SlowStart: 1}
	check.Equal(c, "the stale one's result", got[1], store.Result{Ignored: true})
	want := []struct{ before, after store.Health }{0: {after: failed}, 2: {failed, healed},
		3: {healed, failed}}
	for _, i := range []int{0, 2, 3} {
		check.Equal(c, "Ignored", got[i].Ignored, false)
		check.Equal(c, "Before", check.Timeless(*got[i].Before), want[i].before)
		check.Equal(c, "After", check.Timeless(*got[i].After), want[i].after)
	}
	check.Equal(c, "health", check.Timeless(c.Health(sub.ID)), failed)
}

// twice claims a delivery whose first lease runs out, and returns both claims.
func twice(c *check.Driver) (late, present store.Claim) {
	first := c.ClaimWith(store.ClaimRequest{Max: 1, Lease: c.Short}).Claims
	if len(first) != 1 {
		c.Fatalf("claims: got %d, want 1", len(first))
	}
	c.Pass(c.Short)
	present = c.ClaimOne()
	if present.EventID != first[0].EventID {
		c.Fatalf("claim once the lease has run out: got %s, want %s", present.EventID,
			first[0].EventID)
	}
	return first[0], present
}

func testLateFailure(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(1)
	late, present := twice(c)
	c.Ignored(check.Failed(late, 0))
	c.Ignored(check.Dead(late))
	c.Ignored(check.Held(late, 0, c.Long))
	c.State(present.Lease, store.Pending)
	check.Equal(c, "attempts", len(c.Attempts(late.Lease)), 0)
	check.Equal(c, "health", c.Health(sub.ID), store.Health{})
	check.Equal(c, "claims while the present lease runs", len(c.Claim(10)), 0)
	c.Counts(check.Failed(present, 0))
	check.Equal(c, "Attempt of the next", c.ClaimOne().Attempt, 2)
}

func testLateSuccess(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(2)
	late, present := twice(c)
	c.Counts(check.Delivered(late))
	c.State(late.Lease, store.Delivered)
	check.Equal(c, "InFlight", c.Stats("").InFlight, 0)
	c.Ignored(check.Failed(present, 0))
	c.Ignored(check.Delivered(present))
	c.State(late.Lease, store.Delivered)
	released := c.ClaimOne()
	c.Release(released)
	c.Counts(check.Delivered(released))
	c.State(released.Lease, store.Delivered)
	check.Equal(c, "Healthy", c.Health(sub.ID).Healthy, true)
	check.Equal(c, "claims", len(c.Claim(10)), 0)
}

func testLateSuccessNumber(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	late, present := twice(c)
	c.Counts(check.Failed(present, c.Long))
	c.Counts(check.Delivered(late))
	attempts := c.Attempts(late.Lease)
	check.Equal(c, "attempts", len(attempts), 2)
	for i, a := range attempts {
		check.Equal(c, "Number", a.Number, i+1)
		check.Equal(c, "Status", a.Status, []int{500, 200}[i])
	}
	check.Equal(c, "Attempts", c.State(late.Lease, store.Delivered).Attempts, 2)
}

func testLateSuccessCanceled(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(1)
	cl := c.ClaimOne()
	c.Unsubscribe(sub.ID, "answered 410")
	c.Counts(check.Delivered(cl))
	d := c.State(cl.Lease, store.Delivered)
	check.Equal(c, "LastError", d.LastError, "")
	c.Ignored(check.Delivered(cl))
}

func testLateSuccessOver(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	late, present := twice(c)
	c.Counts(check.Dead(present))
	c.Ignored(check.Delivered(late))
	c.Ignored(check.Failed(late, 0))
	c.State(present.Lease, store.Dead)
	check.Equal(c, "attempts", len(c.Attempts(present.Lease)), 1)
}

func testRunOut(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(1)
	claims := c.ClaimWith(store.ClaimRequest{Max: 1, Lease: c.Short}).Claims
	c.Pass(c.Short)
	check.Equal(c, "InFlight", c.Stats("").InFlight, 0)
	c.Counts(check.Failed(claims[0], c.Long))
	check.Equal(c, "Failures", c.Health(sub.ID).Failures, 1)
	check.Equal(c, "attempts", len(c.Attempts(claims[0].Lease)), 1)
	check.Equal(c, "claims", len(c.Claim(10)), 0)
}

func testFinishAgain(c *check.Driver) {
	sub := c.Subscribe()
	c.Publish(3)
	claims := c.Claim(3)
	outcomes := []store.Outcome{check.Failed(claims[0], c.Long), check.Delivered(claims[1]),
		check.Dead(claims[2])}
	c.Finish(outcomes...)
	before := c.Health(sub.ID)
	for _, o := range outcomes {
		c.Ignored(o)
	}
	check.Equal(c, "health", check.SameClock(c.Health(sub.ID)), check.SameClock(before))
	for i, want := range []store.State{store.Pending, store.Delivered, store.Dead} {
		check.Equal(c, "Attempts", c.State(claims[i].Lease, want).Attempts, 1)
		check.Equal(c, "attempts", len(c.Attempts(claims[i].Lease)), 1)
	}
}

func testFinishUnknown(c *check.Driver) {
	c.Subscribe()
	c.Publish(1)
	cl := c.ClaimOne()
	noEvent, noSub := check.Delivered(cl), check.Delivered(cl)
	noEvent.EventID = "nobody-knows-it"
	noSub.SubscriptionID = c.NewSub().ID
	c.Release(cl)
	noToken := check.Failed(cl, c.Long)
	noToken.Token = 0
	c.Ignored(noToken)
	cl = c.ClaimOne()
	results := c.Finish(noEvent, noSub, check.Delivered(cl))
	for i, want := range []bool{true, true, false} {
		check.Equal(c, "Ignored", results[i].Ignored, want)
	}
	c.State(cl.Lease, store.Delivered)
}

func testFinishRoom(c *check.Driver) {
	c.Subscribe()
	c.Publish(9)
	req := store.ClaimRequest{Max: 10, PerSubscription: 2, MaxUnhealthy: 2}
	claims := c.ClaimWith(req).Claims
	for _, finish := range []func(store.Claim) store.Outcome{
		func(cl store.Claim) store.Outcome {
			return check.Failed(cl, c.Long)
		}, check.Dead, check.Delivered,
	} {
		if len(claims) != 2 {
			c.Fatalf("claims: got %d, want 2", len(claims))
		}
		c.Finish(finish(claims[0]), finish(claims[1]))
		claims = c.ClaimWith(req).Claims
	}
}
