package dispatcher_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// Promise 3: everything ends, and only counted attempts make a delivery dead.

func TestRetriesFollowTheScheduleUntilDead(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		backoff := noJitter
		backoff.MaxAttempts = 9 // with one more the breaker opens, and probes do not count
		e := newEngine(t, s, &dispatcher.Options{Backoff: backoff})
		e.status(http.StatusInternalServerError)
		e.subscribe("https://a.example/hook")
		e.run()
		start := time.Now()
		ev := e.publish("order.created", 1)
		pass(5 * 24 * time.Hour)

		want := []time.Duration{0, 5 * time.Second, 20 * time.Second, 80 * time.Second, 320 * time.Second,
			1280 * time.Second,
			5120 * time.Second, 20480 * time.Second, 12 * time.Hour}
		got := e.seen("")
		if len(got) != len(want) {
			t.Fatalf("%d attempts, want %d", len(got), len(want))
		}
		for i, r := range got {
			// Each delay counts from when the attempt was recorded, a few milliseconds after it
			// ended.
			if delay := r.At.Sub(start); delay < want[i] || delay > want[i]+20*time.Millisecond {
				t.Errorf("attempt %d came %v after the one before, want %v", i+1, delay, want[i])
			}
			start = r.At
			if r.Attempt != i+1 || r.EventID != ev.ID || r.Body != got[0].Body {
				t.Errorf(
					"attempt %d: webhook-attempt %d, webhook-id %s, body %s; want %d, %s and the same body", i+1,
					r.Attempt, r.EventID, r.Body, i+1, ev.ID)
			}
		}
		d := e.wantState(ev, store.Dead)
		if d.Attempts != 9 || d.LastStatus != 500 ||
			dispatcher.ErrorClass(d.LastError) != dispatcher.ClassHTTPStatus {
			t.Errorf("got %d attempts, status %d, error %q", d.Attempts, d.LastStatus, d.LastError)
		}
		attempts, err := e.Attempts(t.Context(), d.SubscriptionID, ev.ID)
		if err != nil || len(attempts) != 9 || attempts[8].Number != 9 || attempts[8].Status != 500 {
			t.Errorf("Attempts: %d, %v; want the 9", len(attempts), err)
		}
	})
}

func TestRetryDelaysSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newBackoffProbe(t)
		seen := make(map[time.Duration]int)
		for range 200 {
			d := e.delayAfterFailure()
			if d < 4*time.Second || d > 6*time.Second+20*time.Millisecond {
				t.Fatalf("the first retry came after %v, want 5s ± 20%%", d)
			}
			seen[d.Truncate(100*time.Millisecond)]++
		}
		if len(seen) < 10 {
			t.Errorf("200 retries came after only %d different tenths of a second; they must spread",
				len(seen))
		}
	})
}

func TestDownTimeOfTheHostKillsNothing(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		e.status(503)
		sub := e.subscribe("https://a.example/hook")
		e.run()
		ev := e.publish("order.created", 1)
		pass(time.Minute)
		e.stop()
		pass(60 * 24 * time.Hour)
		e.status(200)
		e.restart(nil)
		e.run()
		settle()
		d := e.wantState(ev, store.Delivered)
		if d.Attempts > 5 {
			t.Errorf("%d attempts were counted; time that the host was down must not count", d.Attempts)
		}
		if got, err := e.Subscription(t.Context(), sub.ID); err != nil || got.Status != store.Subscribed {
			t.Errorf("the subscription is %s (%v), want Subscribed: the host was down, not the endpoint",
				got.Status, err)
		}
	})
}

func TestRetryAfterIsObeyed(t *testing.T) {
	tests := []struct {
		name     string
		status   int
		header   func() string
		min, max time.Duration // of the delay; the backoff alone is 5s
	}{
		{"seconds", 429, func() string { return "120" }, 120 * time.Second, 121 * time.Second},
		{"date", 503, func() string {
			return time.Now().Add(10 * time.Minute).UTC().Format(http.TimeFormat)
		}, 599 * time.Second, 601 * time.Second},
		{"capped", 429, func() string { return "8640000" }, 24 * time.Hour, 24*time.Hour + time.Second},
		{"past int", 429, func() string {
			return "99999999999999999999999"
		}, 24 * time.Hour, 24*time.Hour + time.Second},
		{"nonsense", 429, func() string { return "soon" }, time.Second, 2 * time.Second},
		{"negative", 429, func() string { return "-5" }, time.Second, 2 * time.Second},
		{"date in the past", 503, func() string {
			return "Mon, 01 Jan 1990 00:00:00 GMT"
		}, time.Second, 2 * time.Second},
		{"nonsense that is no throttling", 503, func() string {
			return "soon"
		}, 5 * time.Second, 6 * time.Second},
		{"a second means a second", 429, func() string {
			return "1"
		}, time.Second, 1100 * time.Millisecond},
		{"other status", 500, func() string { return "120" }, 5 * time.Second, 6 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, s store.Store) {
				e := newEngine(t, s, &dispatcher.Options{Backoff: noJitter})
				e.answers(func(r request) reply {
					if r.Attempt > 1 {
						return reply{Status: 200}
					}
					return reply{Status: tt.status, Header: http.Header{"Retry-After": {tt.header()}}}
				})
				e.subscribe("https://a.example/hook")
				e.run()
				ev := e.publish("order.created", 1)
				pass(25 * time.Hour)
				e.wantState(ev, store.Delivered)
				r := e.seen("")
				if len(r) != 2 {
					t.Fatalf("%d attempts, want 2", len(r))
				}
				if d := r[1].At.Sub(r[0].At); d < tt.min || d > tt.max {
					t.Errorf("retried after %v, want %v to %v", d, tt.min, tt.max)
				}
			})
		})
	}
}

func TestGoneEndsTheDeliveryAndUnsubscribes(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var disabled []store.Subscription
		e := newEngine(t, s, &dispatcher.Options{PerSubscription: 1, Observer: &dispatcher.Observer{
			OnDisabled: func(sub store.Subscription) { disabled = append(disabled, sub) },
		}})
		e.status(http.StatusGone)
		sub := e.subscribe("https://a.example/hook")
		first := e.publish("order.created", 1)
		second := e.publish("order.created", 2)
		e.run()
		settle()
		e.wantState(first, store.Dead)
		got, err := e.Subscription(t.Context(), sub.ID)
		if err != nil || got.Status != store.Unsubscribed || got.DisabledReason == "" {
			t.Errorf("got %s, reason %q, %v; want Unsubscribed with a reason", got.Status,
				got.DisabledReason, err)
		}
		if n := len(e.seen("")); n > 2 {
			t.Errorf("%d attempts, want no more after the 410 was recorded", n)
		}
		if d := e.delivery(second); d.State == store.Pending {
			t.Errorf("the other delivery is still pending")
		}
		e.stop()
		if len(disabled) != 1 || disabled[0].DisabledReason != got.DisabledReason {
			t.Errorf("OnDisabled was called with %v, want the subscription once", disabled)
		}
	})
}

func TestNothingButFailuresDisables(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		e.answers(func(request) reply { return reply{Err: errors.New("broken")} })
		sub := e.subscribe("https://a.example/hook")
		e.run()
		start := time.Now()
		for time.Since(start) < 4*24*time.Hour {
			e.publish("order.created", 1)
			pass(time.Hour)
		}
		if got, _ := e.Subscription(t.Context(), sub.ID); got.Status != store.Subscribed {
			t.Fatalf("disabled after %v, want five days", time.Since(start))
		}
		for time.Since(start) < 7*24*time.Hour {
			e.publish("order.created", 1)
			pass(time.Hour)
		}
		got, _ := e.Subscription(t.Context(), sub.ID)
		if got.Status != store.Unsubscribed || got.DisabledReason == "" {
			t.Fatalf("got %s with reason %q, want it disabled", got.Status, got.DisabledReason)
		}
		if n := e.states()[store.Pending]; n != 0 {
			t.Errorf("%d deliveries are pending, want none", n)
		}
		// What occurs while it is disabled is kept, and can be replayed once the endpoint
		// works again.
		ev := e.publish("order.created", "kept")
		if d := e.wantState(ev, store.Canceled); d.LastError != got.DisabledReason {
			t.Errorf("canceled for %q, want %q", d.LastError, got.DisabledReason)
		}
		e.status(200)
		if _, err := e.Update(t.Context(), sub.ID, func(s *store.Subscription) error {
			s.Status = store.Subscribed
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		n, err := e.Replay(t.Context(),
			store.DeliveryQuery{SubscriptionID: sub.ID, States: []store.State{store.Canceled}})
		if err != nil || n == 0 {
			t.Fatalf("Replay: %d, %v", n, err)
		}
		settle()
		e.wantState(ev, store.Delivered)
		if n := e.states()[store.Canceled]; n != 0 {
			t.Errorf("%d deliveries are still canceled after the replay", n)
		}
	})
}

// backoffProbe fails one attempt after another.
type backoffProbe struct{ *engine }

func newBackoffProbe(t *testing.T) backoffProbe {
	s := newMemstore(t)
	e := newEngine(t, s, nil)
	e.answers(func(r request) reply {
		if r.Attempt == 1 {
			return reply{Status: 500}
		}
		return reply{Status: 200}
	})
	e.subscribe("https://a.example/hook")
	e.run()
	return backoffProbe{e}
}

func (p backoffProbe) delayAfterFailure() time.Duration {
	p.publish("order.created", 1)
	pass(10 * time.Second)
	r := p.seen("")
	return r[len(r)-1].At.Sub(r[len(r)-2].At)
}
