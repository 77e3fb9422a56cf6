package dispatcher_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

func TestEraseRemovesAnEvent(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var canceled []dispatcher.Cancellation
		e := newEngine(t, s, &dispatcher.Options{Backoff: noJitter, Observer: &dispatcher.Observer{
			OnCanceled: func(c dispatcher.Cancellation) { canceled = append(canceled, c) },
		}})
		good, bad := e.subscribe("https://good.example/hook"), e.subscribe("https://bad.example/hook")
		e.answers(func(r request) reply {
			if r.URL == good.URL {
				return reply{Status: 200, Body: "we got " + r.Body}
			}
			return reply{Status: http.StatusInternalServerError, Body: "what is " + r.Body}
		})
		e.run()
		ev, other := e.publish("order.created", "canary"), e.publish("order.created", "other")
		pass(time.Second)
		for range 2 { // idempotent
			if err := e.Erase(t.Context(), ev.Tenant, ev.ID); err != nil {
				t.Fatal(err)
			}
		}
		e.status(200)
		pass(time.Hour)
		for sub, want := range map[string]store.State{good.ID: store.Delivered, bad.ID: store.Canceled} {
			page, err := e.Deliveries(t.Context(), store.DeliveryQuery{SubscriptionID: sub, EventID: ev.ID})
			if err != nil || len(page.Items) != 1 || page.Items[0].State != want || !page.Items[0].Erased {
				t.Errorf("deliveries are %+v, %v; want one that is %s, and erased", page.Items, err, want)
			}
			attempts, err := e.Attempts(t.Context(), sub, ev.ID)
			if err != nil || len(attempts) != 1 || len(attempts[0].Response) != 0 {
				t.Errorf("attempts are %+v, %v; want one without an answer", attempts, err)
			}
		}
		for _, r := range e.seen(bad.URL) {
			if r.EventID == ev.ID && r.Attempt > 1 {
				t.Error("the event was attempted after it had been erased")
			}
		}
		if d, err := e.Deliveries(t.Context(),
			store.DeliveryQuery{SubscriptionID: bad.ID, EventID: other.ID}); err != nil ||
			d.Items[0].State != store.Delivered || d.Items[0].Erased {
			t.Errorf("the other event: %+v, %v; want it delivered", d.Items, err)
		}
		if want := (dispatcher.Cancellation{Tenant: ev.Tenant, EventID: ev.ID,
			Reason: dispatcher.ReasonErased}); len(canceled) == 0 || canceled[0] != want {
			t.Errorf("OnCanceled got %+v, want %+v", canceled, want)
		}
		if err := e.Erase(t.Context(), "", "no-such-event"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Erase of an unknown event: %v, want store.ErrNotFound", err)
		}
	})
}

func TestEraseOfNothingInParticularIsRefused(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		e.subscribe("https://a.example/hook")
		ev := e.publish("order.created", 1)
		if invalid := (*events.InvalidError)(nil); !errors.As(e.Erase(t.Context(), "", ""), &invalid) {
			t.Error("Erase without an event's ID was taken")
		}
		e.wantState(ev, store.Pending)
	})
}

func TestEraseTenantSparesOthers(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		const n = 250 // several steps
		mine, others := subscribeFor(t, e, "acme", "https://mine.example/hook"),
			subscribeFor(t, e, "", "https://others.example/hook")
		for range n {
			publishFor(t, e, "acme", "order.created")
			publishFor(t, e, "", "order.created")
		}
		for _, want := range []int{n, 0} {
			if got, err := e.EraseTenant(t.Context(), "acme"); err != nil || got != want {
				t.Errorf("EraseTenant: %d, %v; want %d", got, err, want)
			}
		}
		e.run()
		pass(time.Hour)
		if got := len(e.seen(mine.URL)); got != 0 {
			t.Errorf("%d of what was erased were sent", got)
		}
		if got := len(e.seen(others.URL)); got != n {
			t.Errorf("%d of another tenant were sent, want %d", got, n)
		}
		if got, err := e.Replay(t.Context(), store.DeliveryQuery{Tenant: "acme"}); err != nil ||
			got != 0 {
			t.Errorf("Replay of what was erased: %d, %v; want 0", got, err)
		}
		ev := publishFor(t, e, "acme", "order.created") // life goes on
		settle()
		e.wantState(ev, store.Delivered)
	})
}

// TestNoAttemptStartsAfterErase erases what is on its way from the store to a worker.
func TestNoAttemptStartsAfterErase(t *testing.T) {
	for name, erase := range map[string]func(*engine, events.Event) error{
		"event": func(e *engine, ev events.Event) error {
			return e.Erase(e.t.Context(), ev.Tenant, ev.ID)
		},
		"tenant": func(e *engine, ev events.Event) error {
			_, err := e.EraseTenant(e.t.Context(), "acme")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, s store.Store) {
				e := newEngine(t, slowClaims{s, time.Second}, nil)
				subscribeFor(t, e, "acme", "https://a.example/hook")
				subscribeFor(t, e, "", "https://b.example/hook")
				ev, other := publishFor(t, e, "acme", "order.created"), publishFor(t, e, "", "order.created")
				e.run()
				pass(500 * time.Millisecond) // claimed
				if err := erase(e, ev); err != nil {
					t.Fatal(err)
				}
				pass(time.Hour)
				var sent []string
				for _, r := range e.seen("") {
					sent = append(sent, r.EventID)
				}
				if !slices.Equal(sent, []string{other.ID}) {
					t.Errorf("sent %q, want what was not erased alone, %q", sent, other.ID)
				}
			})
		})
	}
}

// TestEraseLetsAnAttemptUnderWayEnd erases an event while its endpoint thinks.
func TestEraseLetsAnAttemptUnderWayEnd(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		sub := e.subscribe("https://a.example/hook")
		e.answers(func(r request) reply {
			return reply{Status: 200, Body: "we got " + r.Body, Delay: time.Second}
		})
		e.run()
		ev := e.publish("order.created", "canary")
		pass(500 * time.Millisecond)
		if err := e.Erase(t.Context(), ev.Tenant, ev.ID); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		e.wantState(ev, store.Delivered) // the endpoint has it
		attempts, err := e.Attempts(t.Context(), sub.ID, ev.ID)
		if err != nil || len(attempts) != 1 || len(attempts[0].Response) != 0 {
			t.Errorf("attempts are %+v, %v; want one without an answer", attempts, err)
		}
	})
}
