package engine_test

import (
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/engine"
	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/store"
)

// What follows from an attempt, by its status, the attempts before it and the health of its
// subscription.
func TestOutcomeOf(t *testing.T) {
	e := engine.New(engine.Config{
		BreakerThreshold: 3, MaxAttempts: 4,
		RetryDelay: func(n int) time.Duration { return time.Duration(n) * time.Minute },
	})
	const wrong = "http_status: wrong"
	for _, tt := range []struct {
		name    string
		retry   int // attempts before
		health  store.Health
		result  send.Result
		state   store.State
		retryIn time.Duration
		holdFor time.Duration
	}{
		{name: "a success", result: send.Result{Attempt: store.Attempt{Status: 200}}, state: store.Delivered},
		{name: "a success of a probe", health: store.Health{Failures: 9, Probes: 4},
			result: send.Result{Attempt: store.Attempt{Status: 200}}, state: store.Delivered},
		{name: "a failure", result: send.Result{Attempt: store.Attempt{Status: 500, Error: wrong}},
			state: store.Pending, retryIn: time.Minute},
		{name: "a third failure", retry: 2, result: send.Result{Attempt: store.Attempt{Error: "connect: x"}},
			state: store.Pending, retryIn: 3 * time.Minute},
		{name: "the last attempt", retry: 3, result: send.Result{Attempt: store.Attempt{Error: "connect: x"}}, state: store.Dead},
		{name: "gone", result: send.Result{Attempt: store.Attempt{Status: 410, Error: wrong}}, state: store.Dead},
		{name: "a 410 that the host takes for success", result: send.Result{Attempt: store.Attempt{Status: 410}}, state: store.Delivered},
		{name: "a longer wish", result: send.Result{Attempt: store.Attempt{Status: 429, Error: wrong}, RetryAfter: time.Hour},
			state: store.Pending, retryIn: time.Hour},
		{name: "a shorter wish", retry: 1, result: send.Result{Attempt: store.Attempt{Status: 429, Error: wrong}, RetryAfter: time.Second},
			state: store.Pending, retryIn: 2 * time.Minute},
		{name: "one failure short of the breaker", health: store.Health{Failures: 1},
			result: send.Result{Attempt: store.Attempt{Error: wrong}}, state: store.Pending, retryIn: time.Minute},
		{name: "the failure that opens it", health: store.Health{Failures: 2},
			result: send.Result{Attempt: store.Attempt{Error: wrong}}, state: store.Pending, retryIn: time.Minute, holdFor: time.Minute},
		{name: "a probe that fails", health: store.Health{Failures: 7, Probes: 4},
			result: send.Result{Attempt: store.Attempt{Error: wrong}}, state: store.Pending, retryIn: time.Minute, holdFor: 5 * time.Minute},
		{name: "a probe that is its delivery's last", retry: 3, health: store.Health{Failures: 7},
			result: send.Result{Attempt: store.Attempt{Error: wrong}}, state: store.Dead, holdFor: time.Minute},
	} {
		c := &store.Claim{Lease: store.Lease{SubscriptionID: "s", EventID: "e"}, Attempt: 7, Retry: tt.retry, Health: tt.health}
		tt.result.Body = send.Body{State: store.BodyOverridden, Override: []byte("kept")}
		o := e.OutcomeOf(c, &tt.result)
		if o.State != tt.state || o.RetryIn != tt.retryIn || o.ProbeIn != tt.holdFor {
			t.Errorf("%s: %s, retried in %v, held for %v; want %s, %v, %v", tt.name, o.State, o.RetryIn, o.ProbeIn, tt.state, tt.retryIn, tt.holdFor)
		}
		kept := o.BodyState == store.BodyOverridden && string(o.BodyOverride) == "kept"
		if o.Lease != c.Lease || o.Attempt.Number != 7 || kept == (tt.state == store.Delivered) {
			t.Errorf("%s: lease %v, number %d, body %d %q", tt.name, o.Lease, o.Attempt.Number, o.BodyState, o.BodyOverride)
		}
	}
}
