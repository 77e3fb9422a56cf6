package engine_test

import (
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/content"
	"github.com/outhook/outhook/dispatcher/internal/engine"
	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/store"
)

// What follows from an attempt: by what it says, the attempts before it, the health of its
// subscription, and whether it is a probe. And what the health is then.
func TestOutcomeOf(t *testing.T) {
	const threshold = 3
	e := engine.New(engine.Config{
		BreakerThreshold: threshold,
		Defaults: &engine.Policy{
			MaxAttempts: 4,
			RetryDelay:  func(n int) time.Duration { return time.Duration(n) * time.Minute },
		},
	})
	healthy := store.Health{Healthy: true}
	takesNothing := store.Health{FailingFor: time.Hour}
	open := store.Health{Failures: 7, Probes: 2}
	for _, tt := range []struct {
		name    string
		retry   int // attempts before
		attempt int // its number; if 0, 7
		health  store.Health
		probe   bool // the claim is one
		result  send.Result

		state    store.State
		retryIn  time.Duration
		kept     bool // KeepRetry
		failures int  // afterwards
		healthy  bool
		held     time.Duration // until a throttled subscription is claimed again
	}{
		{name: "delivered", result: send.Result{Kind: send.KindDelivered}, state: store.Delivered,
			healthy: true},
		{name: "delivered, a probe", health: open, probe: true,
			result: send.Result{Kind: send.KindDelivered},
			state:  store.Delivered, healthy: true},
		{name: "delivered, the last attempt", retry: 3, result: send.Result{Kind: send.KindDelivered},
			state: store.Delivered, healthy: true},

		{name: "down", health: healthy, result: send.Result{Kind: send.KindDown}, state: store.Pending,
			retryIn: time.Minute, failures: 1},
		{name: "down, a third attempt", retry: 2, result: send.Result{Kind: send.KindDown},
			state: store.Pending, retryIn: 3 * time.Minute, failures: 1},
		{name: "down, the last attempt", retry: 3, result: send.Result{Kind: send.KindDown},
			state: store.Dead, failures: 1},
		{name: "down, the failure that opens the breaker", health: store.Health{Failures: 2},
			result: send.Result{Kind: send.KindDown},
			state:  store.Pending, retryIn: time.Minute, failures: 3},
		{name: "down, a probe in place of its delivery's last", retry: 3, health: open, probe: true,
			result: send.Result{Kind: send.KindDown},
			state:  store.Pending, retryIn: 4 * time.Minute, kept: true, failures: 8},

		{name: "refused", health: healthy, result: send.Result{Kind: send.KindRefused},
			state: store.Pending, retryIn: time.Minute, healthy: true},
		{name: "refused by one that fails", health: store.Health{Failures: 2},
			result: send.Result{Kind: send.KindRefused},
			state:  store.Pending, retryIn: time.Minute, failures: 2},
		{name: "refused, the last attempt", retry: 3, health: healthy,
			result: send.Result{Kind: send.KindRefused}, state: store.Dead, healthy: true},
		{name: "refused, a probe", retry: 3, health: open, probe: true,
			result: send.Result{Kind: send.KindRefused},
			state:  store.Pending, retryIn: 4 * time.Minute, kept: true, failures: 7},
		{name: "refused for good", health: healthy,
			result: send.Result{Kind: send.KindRefused, Final: true}, state: store.Dead, healthy: true},
		{name: "refused for good, a probe", health: open, probe: true,
			result: send.Result{Kind: send.KindRefused, Final: true},
			state:  store.Dead, failures: 7},
		{name: "aborted", health: healthy,
			result: send.Result{Kind: send.KindRefused, Asked: send.ControlAbort},
			state:  store.Dead, healthy: true},
		{name: "aborted and throttled", health: healthy,
			result: send.Result{Kind: send.KindThrottled, Asked: send.ControlAbort,
				RetryAfter: time.Second},
			state: store.Dead, healthy: true, held: time.Second},
		{name: "disabled", health: store.Health{Failures: 1},
			result: send.Result{Kind: send.KindRefused, Asked: send.ControlDisable},
			state:  store.Dead, failures: 1},
		{name: "delivered and disabled", health: healthy,
			result: send.Result{Kind: send.KindDelivered, Asked: send.ControlDisable},
			state:  store.Delivered, healthy: true},
		{name: "gone", health: healthy, result: send.Result{Kind: send.KindGone}, state: store.Dead,
			healthy: true},

		{name: "throttled for a second", retry: 3, health: healthy,
			result: send.Result{Kind: send.KindThrottled, RetryAfter: time.Second},
			state:  store.Pending, retryIn: time.Second, kept: true, healthy: true, held: time.Second},
		{name: "throttled for an hour", health: healthy,
			result: send.Result{Kind: send.KindThrottled, RetryAfter: time.Hour},
			state:  store.Pending, retryIn: time.Hour, kept: true, healthy: true, held: time.Hour},
		{name: "throttled, no word for how long", health: healthy,
			result: send.Result{Kind: send.KindThrottled},
			state:  store.Pending, retryIn: time.Second, kept: true, healthy: true, held: time.Second},
		{name: "throttled at the first attempt",
			result: send.Result{Kind: send.KindThrottled, RetryAfter: time.Second},
			state:  store.Pending, retryIn: time.Second, kept: true, held: time.Second},
		{name: "throttled too often", attempt: 101, health: healthy,
			result: send.Result{Kind: send.KindThrottled, RetryAfter: time.Second},
			state:  store.Pending, retryIn: time.Minute, healthy: true, held: time.Second},
		{name: "throttled by one that takes nothing", health: takesNothing,
			result: send.Result{Kind: send.KindThrottled, RetryAfter: time.Second},
			state:  store.Pending, retryIn: time.Minute, held: time.Second},
		{name: "throttled by one that takes nothing, the last attempt", retry: 3, health: takesNothing,
			result: send.Result{Kind: send.KindThrottled, RetryAfter: time.Second},
			state:  store.Dead, held: time.Second},
		{name: "throttled, a probe", health: open, probe: true,
			result: send.Result{Kind: send.KindThrottled, RetryAfter: time.Hour},
			state:  store.Pending, retryIn: time.Hour, kept: true, failures: 7, held: time.Hour},

		{name: "ours", health: healthy, result: send.Result{Kind: send.KindOurs}, state: store.Pending,
			retryIn: time.Minute, healthy: true},
		{name: "ours, the last attempt", retry: 3, health: healthy,
			result: send.Result{Kind: send.KindOurs}, state: store.Dead, healthy: true},
		{name: "ours, in place of a probe", retry: 3, health: open, probe: true,
			result: send.Result{Kind: send.KindOurs},
			state:  store.Dead, failures: 7},
	} {
		c := &store.Claim{Lease: store.Lease{SubscriptionID: "s", EventID: "e"}, Attempt: 7,
			Retry: tt.retry, Health: &tt.health, Probe: tt.probe}
		if tt.attempt == 0 {
			tt.attempt = 7
		}
		c.Attempt = tt.attempt
		if tt.result.Kind != send.KindDelivered {
			tt.result.Attempt.Error = "http_status: wrong"
		}
		if tt.result.Kind == send.KindGone {
			tt.result.Attempt.Status = 410
		}
		tt.result.Mark = content.Mark{State: store.BodyOverridden, Override: []byte("kept")}
		o := e.OutcomeOf(c, &tt.result)
		if o.State != tt.state || o.RetryIn != tt.retryIn || o.KeepRetry != tt.kept {
			t.Errorf("%s: %s, retried in %v, counted: %v; want %s, %v, %v",
				tt.name, o.State, o.RetryIn, !o.KeepRetry, tt.state, tt.retryIn, !tt.kept)
		}
		kept := o.BodyState == store.BodyOverridden && string(o.BodyOverride) == "kept"
		if o.Lease != c.Lease || o.Attempt.Number != tt.attempt || !kept {
			t.Errorf("%s: lease %v, number %d, body %d %q",
				tt.name, o.Lease, o.Attempt.Number, o.BodyState, o.BodyOverride)
		}
		if err := o.Validate(); err != nil {
			t.Errorf("%s: the store would refuse the outcome: %v", tt.name, err)
		}
		now := time.Unix(1_000_000, 0)
		h := tt.health.Next(&o, now)
		held := time.Duration(0)
		if !h.HeldUntil.IsZero() {
			held = h.HeldUntil.Sub(now)
		}
		if h.Failures != tt.failures || h.Healthy != tt.healthy || held != tt.held {
			t.Errorf("%s: afterwards %d failures, healthy %v, held for %v; want %d, %v, %v",
				tt.name, h.Failures, h.Healthy, held, tt.failures, tt.healthy, tt.held)
		}
		if isOpen := h.Failures >= threshold; isOpen != h.NextProbeAt.After(now) {
			t.Errorf("%s: with %d failures the next probe is at %v", tt.name, h.Failures, h.NextProbeAt)
		}
		if p := o.Probe; o.State != store.Delivered &&
			(p.Threshold != threshold || p.First != 5*time.Second ||
				p.Max != 5*time.Minute || p.Jitter < 0.8 || p.Jitter > 1.2) {
			t.Errorf("%s: probed by %+v", tt.name, p)
		}
	}
}
