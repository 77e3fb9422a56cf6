package dispatcher_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

func TestSubscriptionStats(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Backoff: noJitter})
		sub := e.subscribe("https://a.example/hook")
		e.run()
		e.answers(func(request) reply { return reply{Status: 200, Delay: 100 * time.Millisecond} })
		for i := range 30 {
			e.publish("order.created", i)
		}
		pass(time.Second)
		start := time.Now()
		e.status(http.StatusBadGateway)
		for i := range 10 { // one after another: the tenth attempt is made knowing that nine have failed
			e.publish("order.created", i)
			settle()
		}
		pass(time.Second)
		got, err := e.SubscriptionStats(t.Context(), sub.ID)
		if err != nil {
			t.Fatal(err)
		}
		if got.Breaker != dispatcher.BreakerOpen || got.Failures != 10 || got.Pending != 10 ||
			got.InFlight != 0 {
			t.Errorf("got %+v, want an open breaker after 10 failures", got)
		}
		if d := got.NextProbeAt.Sub(start); d < 4*time.Second || d > 7*time.Second {
			t.Errorf("held until %v after the failures began, want about 5s after the last", d)
		}
		if d := got.OldestPending.Sub(start); d < 0 || d > time.Second {
			t.Errorf("the oldest pending is of %v after the start of the failures", d)
		}
		for name, w := range map[string]store.AttemptStats{"hour": got.Hour, "day": got.Day} {
			if w.Delivered != 30 || w.Failed != 10 || w.SuccessRate() != 0.75 ||
				w.P50 < 80*time.Millisecond || w.P50 > 120*time.Millisecond {
				t.Errorf("in the last %s: %+v, want 30 delivered within 100ms and 10 failed", name, w)
			}
		}
		e.status(200)
		pass(2 * time.Hour)
		got, err = e.SubscriptionStats(t.Context(), sub.ID)
		if err != nil || got.Breaker != dispatcher.BreakerClosed || got.Failures != 0 ||
			got.FailingFor != 0 || !got.OldestPending.IsZero() {
			t.Errorf("got %+v, %v; want a closed breaker and no failures", got, err)
		}
		if got.Hour.Delivered != 0 || got.Day.Delivered != 40 || got.Hour.SuccessRate() != 0 {
			t.Errorf("two hours later: %+v in the last hour, %+v in the last day", got.Hour, got.Day)
		}
		if _, err := e.SubscriptionStats(t.Context(),
			"3e639566-29fa-450d-a59f-ae3c25d7260f"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("stats of an unknown subscription: %v, want store.ErrNotFound", err)
		}
	})
}

func TestSubscriptionStatsSayWhyItIsDisabled(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		sub := e.subscribe("https://a.example/hook")
		e.status(http.StatusGone)
		e.run()
		e.publish("order.created", 1)
		pass(time.Second)
		got, err := e.SubscriptionStats(t.Context(), sub.ID)
		if err != nil || !strings.Contains(got.DisabledReason, "410") {
			t.Errorf("got %+v, %v; want the reason", got, err)
		}
	})
}

// TestReplayCountIsWhatReplayDoes compares the two over deliveries of all kinds.
func TestReplayCountIsWhatReplayDoes(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Backoff: dispatcher.Backoff{Initial: time.Hour,
			Jitter: -1, MaxAttempts: 2}})
		e.answers(func(r request) reply {
			switch {
			case strings.Contains(r.URL, "good"):
				return reply{Status: 200}
			case strings.Contains(r.URL, "hangs"):
				return reply{Delay: never}
			}
			return reply{Status: http.StatusBadGateway}
		})
		for _, url := range []string{"https://good.example/hook", "https://bad.example/hook",
			"https://hangs.example/hook", "https://leaves.example/hook"} {
			e.subscribe(url)
		}
		e.run()
		for i := range 300 { // several steps
			ev := e.publish("order.created", i)
			if i%10 == 0 {
				if err := e.Erase(t.Context(), ev.Tenant, ev.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		paused := e.subscribe("https://paused.example/hook")
		e.must(e.Pause(t.Context(), paused.ID))
		for i := range 20 { // of what expires soon, and of what is not to be sent yet
			soon, later := time.Now().Add(5*time.Minute), time.Now().Add(1000*time.Hour)
			for _, ev := range []events.Event{{ExpiresAt: soon}, {NotBefore: later}} {
				ev.ID, ev.Type = fmt.Sprintf("%d-%t", i, ev.NotBefore.IsZero()), "order.created"
				ev.Time = time.Now()
				ev.Payload = []byte("{}")
				if err := e.Publish(t.Context(), ev); err != nil {
					t.Fatal(err)
				}
			}
		}
		pass(10 * time.Minute)
		if _, err := e.Unsubscribe(t.Context(),
			e.subscriptionAt("https://leaves.example/hook")); err != nil {
			t.Fatal(err)
		}
		good := e.subscriptionAt("https://good.example/hook")
		total := 0
		for _, q := range []store.DeliveryQuery{
			{Tenant: "another"},
			{EventID: e.deliveries()[7].EventID},
			{States: []store.State{store.Pending}},
			{States: []store.State{store.Dead}},
			{SubscriptionID: good},
			{SubscriptionID: paused.ID, States: store.States()},
			{},
			{States: store.States()},
		} {
			e.stopRun() // so that nothing changes in between
			want, err := e.ReplayCount(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			again, err := e.ReplayCount(t.Context(), q)
			if err != nil || again != want {
				t.Errorf("%+v: counted %d and then %d, %v", q, want, again, err)
			}
			got, err := e.Replay(t.Context(), q)
			if err != nil || got != want {
				t.Errorf("%+v: replayed %d, %v; counted %d", q, got, err, want)
			}
			total += got
			e.run()
			pass(time.Minute)
		}
		if total < 500 {
			t.Errorf("%d were replayed in all: too few to mean something", total)
		}
	})
}
