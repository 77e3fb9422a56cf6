package dispatcher_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// steers has endpoints answer with a status and what they ask for.
func (e *engine) steers(status int, asks string) {
	e.answers(func(request) reply {
		return reply{Status: status, Header: http.Header{"Webhook-Delivery": {asks}}}
	})
}

// steered are dispatchers whose endpoints may steer, with operational events for a listener.
func steered(t *testing.T, s store.Store, seen *[]string) *engine {
	return newEngine(t, s, &dispatcher.Options{
		ReceiverSteers: true, OperationalEvents: true,
		Observer: &dispatcher.Observer{
			OnDead: func(i dispatcher.Info) { *seen = append(*seen, "dead: "+i.Attempt.Error) },
			OnDisabled: func(sub store.Subscription) {
				*seen = append(*seen, "disabled: "+sub.DisabledReason)
			},
			OnCanceled: func(c dispatcher.Cancellation) { *seen = append(*seen, "canceled: "+c.Reason) },
		},
	})
}

// An answer ends a delivery that is not a success, and the endpoint counts as one that works.
func TestReceiverAbortsADelivery(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var seen []string
		e := steered(t, s, &seen)
		sub := e.subscribe("https://a.example/hook", "order.*")
		e.run()
		e.steers(http.StatusOK, "abort-message") // has no effect on a success
		e.wantState(publishAndSettle(e), store.Delivered)
		for range dispatcher.BreakerThreshold + 5 {
			e.steers(http.StatusInternalServerError, "abort-message")
			e.wantState(publishAndSettle(e), store.Dead)
		}
		stats, err := e.SubscriptionStats(t.Context(), sub.ID)
		if err != nil || stats.Failures != 0 || stats.Breaker != dispatcher.BreakerClosed {
			t.Errorf("got %+v, %v; want a subscription that is healthy", stats, err)
		}
		const want = "http_status: 500 Internal Server Error; " +
			"the endpoint has asked not to be sent it again"
		ev := publishAndSettle(e)
		if d := e.delivery(ev); d.LastError != want || d.Attempts != 1 {
			t.Errorf("the delivery has %q after %d attempts, want %q after one", d.LastError,
				d.Attempts, want)
		}
		e.stop()
		for _, what := range seen {
			if what != "dead: "+want {
				t.Errorf("the Observer is told %q", what)
			}
		}
		if n := dispatcher.BreakerThreshold + 6; len(seen) != n {
			t.Errorf("the Observer is told of %d, want %d", len(seen), n)
		}
		// It can be sent again if somebody asks for it.
		e.status(http.StatusOK)
		e.run()
		if err := e.Redeliver(t.Context(), sub.ID, ev.ID); err != nil {
			t.Fatal(err)
		}
		settle()
		e.wantState(ev, store.Delivered)
	})
}

func publishAndSettle(e *engine) events.Event {
	e.t.Helper()
	ev := e.publish("order.created", 1)
	settle()
	return ev
}

// An answer unsubscribes, whatever its status is: what is pending is canceled with the reason, and
// the owner can subscribe again.
func TestReceiverUnsubscribes(t *testing.T) {
	const reason = "the endpoint has asked to be unsubscribed"
	for status, state := range map[int]store.State{
		http.StatusOK: store.Delivered, http.StatusInternalServerError: store.Dead,
		http.StatusTooManyRequests: store.Dead, http.StatusGone: store.Dead,
	} {
		onEachStore(t, func(t *testing.T, s store.Store) {
			var seen []string
			e := steered(t, s, &seen)
			sub := e.subscribe("https://a.example/hook", "order.*")
			e.run()
			e.status(http.StatusInternalServerError)
			first := publishAndSettle(e)
			e.steers(status, "disable")
			ev := publishAndSettle(e)
			d := e.wantState(ev, state)
			if state == store.Dead && !strings.HasSuffix(d.LastError, "; "+reason) {
				t.Errorf("%d: the delivery has %q", status, d.LastError)
			}
			if d := e.wantState(first, store.Canceled); d.LastError != reason {
				t.Errorf("%d: what was pending is canceled with %q, want %q", status, d.LastError, reason)
			}
			got, err := e.Subscription(t.Context(), sub.ID)
			if err != nil || got.Status != store.Unsubscribed || got.DisabledReason != reason {
				t.Errorf("%d: got %s %q, %v; want it unsubscribed with %q", status, got.Status,
					got.DisabledReason, err, reason)
			}
			got.Status = store.Subscribed
			if _, err := e.Subscribe(t.Context(), got); err != nil {
				t.Fatal(err)
			}
			e.status(http.StatusOK)
			e.wantState(publishAndSettle(e), store.Delivered)
			e.stop()
			told := strings.Join(seen, "\n")
			for _, want := range []string{"disabled: " + reason, "canceled: " + reason} {
				if strings.Count(told, want) != 1 {
					t.Errorf("%d: the Observer is told %q, want %q once", status, told, want)
				}
			}
		})
	}
}

// Operational events say why a delivery ended, and a subscription.
func TestOperationalEventsOfWhatReceiversAskFor(t *testing.T) {
	for asks, want := range map[string]string{
		"abort-message": "the endpoint has asked not to be sent it again",
		"disable":       "the endpoint has asked to be unsubscribed",
	} {
		synctest.Test(t, func(t *testing.T) {
			var seen []string
			e := steered(t, memstore.New(), &seen)
			sub := e.subscribe("https://a.example/hook", "order.*")
			e.subscribe(listener, events.TypeDisabled, events.TypeExhausted)
			e.answers(func(r request) reply {
				if r.URL == listener {
					return reply{Status: 200}
				}
				return reply{Status: 500, Header: http.Header{"Webhook-Delivery": {asks}}}
			})
			e.run()
			ev := e.publish("order.created", 1)
			pass(time.Second)
			disabled, exhausted := e.operational()
			if len(exhausted) != 1 || exhausted[0].EventID != ev.ID || exhausted[0].Reason != want {
				t.Errorf("%s: exhausted %+v, want one because %s", asks, exhausted, want)
			}
			if (len(disabled) == 1) != (asks == "disable") || len(disabled) == 1 &&
				(disabled[0].WebhookID != sub.ID || disabled[0].Reason != want) {
				t.Errorf("%s: disabled %+v", asks, disabled)
			}
		})
	}
}

// Without the option nobody obeys, and never a ping.
func TestReceiverSteersNothingUnasked(t *testing.T) {
	for _, steers := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			e := newEngine(t, openBolt(t, filepath.Join(t.TempDir(), "outhook.db")),
				&dispatcher.Options{ReceiverSteers: steers})
			sub := e.subscribe("https://a.example/hook")
			e.steers(http.StatusInternalServerError, "disable")
			if _, err := e.Ping(t.Context(), sub.ID); err != nil {
				t.Fatal(err)
			}
			got, err := e.Subscription(t.Context(), sub.ID)
			if err != nil || got.Status != store.Subscribed {
				t.Errorf("steered %v: after a ping it is %s, %v", steers, got.Status, err)
			}
			if steers {
				return
			}
			e.run()
			if d := e.wantState(publishAndSettle(e), store.Pending); d.LastError !=
				"http_status: 500 Internal Server Error" {
				t.Errorf("the delivery has %q", d.LastError)
			}
			got, err = e.Subscription(t.Context(), sub.ID)
			if err != nil || got.Status != store.Subscribed {
				t.Errorf("it is %s, %v; want it subscribed", got.Status, err)
			}
		})
	}
}
