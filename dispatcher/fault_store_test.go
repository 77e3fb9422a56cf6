package dispatcher_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// TestFaultStore does harm to each call by which a Dispatcher relies on its store, at the first,
// the second, and so on.
func TestFaultStore(t *testing.T) {
	kinds := []faultKind{faultBefore, faultAfter, faultDelay, faultPanic}
	hits := make(map[string]int)
	for _, method := range []string{
		"Enqueue", "Claim", "Finish", "Release", "UpdateSubscription", "Requeue", "Erase", "Prune",
	} {
		of := kinds
		if method == "Claim" {
			of = append(of[:len(of):len(of)], faultStale)
		}
		for _, kind := range of {
			t.Run(method+" "+string(kind), func(t *testing.T) {
				for k := 1; k <= 6; k++ {
					for _, run := range []int{1, 4} {
						synctest.Test(t, func(t *testing.T) {
							s := &faultyStore{Store: memstore.New(), method: method, kind: kind, k: k, run: run,
								calls: make(map[string]int)}
							surviveFaults(t, s)
							hits[method+" "+string(kind)] += s.hits
						})
					}
				}
			})
		}
	}
	for what, n := range hits {
		if n == 0 {
			t.Errorf("%s: no call was harmed", what)
		}
	}
}

// survivor is a Dispatcher with everything on that makes it call its store.
type survivor struct {
	*engine
	s       *faultyStore
	o       *dispatcher.Options
	version int // of Transform, which makes something else after a restart
}

func newSurvivor(t *testing.T, s *faultyStore) *survivor {
	t.Helper()
	v := &survivor{s: s}
	v.o = &dispatcher.Options{
		Backoff: dispatcher.Backoff{Initial: time.Second, Max: time.Second, Jitter: -1,
			MaxAttempts: 1000},
		DrainTimeout:      -1,
		OperationalEvents: true,
		Filter: func(sub store.Subscription, _ events.Event) bool {
			return !strings.Contains(sub.URL, "picky")
		},
		Transform: func(_ context.Context, _ store.Subscription, ev events.Event,
			r *dispatcher.Request) error {
			if !events.Operational(ev.Type) {
				r.Body = fmt.Appendf(r.Body, " in version %d", v.version)
			}
			return nil
		},
		Policy: func(sub store.Subscription) dispatcher.Policy {
			if strings.Contains(sub.URL, "limited") {
				return dispatcher.Policy{Rate: 2}
			}
			return dispatcher.Policy{}
		},
	}
	v.engine = newEngine(t, s, v.o)
	v.answers(func(r request) reply {
		switch {
		case strings.Contains(r.URL, "down"), strings.Contains(r.URL, "flaky") && r.Attempt == 1:
			return reply{Status: http.StatusBadGateway}
		case strings.Contains(r.URL, "gone"):
			return reply{Status: http.StatusGone}
		}
		return reply{Status: 200, Delay: 100 * time.Millisecond}
	})
	return v
}

// anyhow calls the store by way of the Dispatcher again and again until it is taken, as a host
// would. What panics in the host's own call is the host's to see.
func (v *survivor) anyhow(what string, call func() error) {
	v.t.Helper()
	for range 10 {
		err := func() (err error) {
			defer func() {
				if p := recover(); p != nil {
					err = fmt.Errorf("%v", p)
				}
			}()
			return call()
		}()
		if err == nil {
			return
		}
	}
	v.t.Fatalf("%s: the store never took %s", v.s, what)
}

func (v *survivor) publishAnyhow(eventType string, payload any) events.Event {
	v.t.Helper()
	ev, err := events.New(eventType, payload)
	if err != nil {
		v.t.Fatal(err)
	}
	v.anyhow("the event", func() error { return v.Publish(v.t.Context(), ev) })
	return ev
}

// surviveFaults puts a Dispatcher on the store through all that makes it call the store, and then
// wants everything as it would be on a store that never fails.
func surviveFaults(t *testing.T, s *faultyStore) {
	v := newSurvivor(t, s)
	for _, name := range []string{"steady", "flaky", "limited", "picky"} {
		v.subscribe("https://"+name+".example/hook", "all.*")
	}
	v.subscribe("https://down.example/hook", "down.*")
	again := v.subscribe("https://again.example/hook", "again.*")
	gone := v.subscribe("https://gone.example/hook", "gone.*")
	v.subscribe(listener, events.TypeDisabled, events.TypeExhausted)
	v.run()
	var evs, erased []events.Event
	for i := range 8 {
		evs = append(evs, v.publishAnyhow("all.things", i))
		pass(20 * time.Millisecond)
		if i == 4 { // with requests under way, which are given back
			if err := v.stopRun(); err != nil {
				t.Fatal(err)
			}
			v.version++
			v.restart(v.o)
			v.run()
		}
	}
	v.publishAnyhow("gone.thing", 1)
	twice := v.publishAnyhow("again.thing", 1)
	for i := range 3 {
		erased = append(erased, v.publishAnyhow("down.thing", i))
	}
	pass(40 * time.Second)
	v.anyhow("the redelivery", func() error { return v.Redeliver(t.Context(), again.ID, twice.ID) })
	for _, ev := range erased {
		v.anyhow("the erasure", func() error { return v.Erase(t.Context(), ev.Tenant, ev.ID) })
	}
	synctest.Wait() // an attempt that began before may be on its way
	before := len(v.seen("https://down.example/hook"))
	pass(time.Hour)

	for _, ev := range evs {
		v.wantDelivery("steady", ev, store.Delivered, 1)
		v.wantDelivery("flaky", ev, store.Delivered, 2)
		v.wantDelivery("limited", ev, store.Delivered, 1)
		v.wantDelivery("picky", ev, store.Canceled, 0)
	}
	for _, ev := range erased {
		v.wantState(ev, store.Canceled)
	}
	if n := len(v.seen("https://down.example/hook")); n != before && s.kind != faultStale {
		t.Errorf("%s: %d requests with what was erased", s, n-before)
	}
	if d := v.wantState(twice, store.Delivered); d.Attempts < 2 {
		t.Errorf("%s: what was redelivered has %d attempts, want 2", s, d.Attempts)
	}
	if got, err := v.Subscription(t.Context(), gone.ID); err != nil ||
		got.Status != store.Unsubscribed {
		t.Errorf("%s: the subscription that answered 410 is %q, %v", s, got.Status, err)
	}
	disabled, exhausted := v.operational()
	// the answer, and the event with it: see Options
	lost := s.method == "UpdateSubscription" && s.kind == faultAfter
	if len(disabled) != 1 && !lost || len(exhausted) != 1 {
		t.Errorf("%s: %d and %d operational events, want one each", s, len(disabled), len(exhausted))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for method, n := range s.calls {
		if n > 400 { // in an hour
			t.Errorf("%s: %s was called %d times: a busy loop", s, method, n)
		}
	}
}

// wantDelivery wants a delivery to have ended so, by as many attempts as its endpoint demands,
// however often it came, and each retry to have sent what an attempt before it did.
func (v *survivor) wantDelivery(name string, ev events.Event, want store.State, attempts int) {
	v.t.Helper()
	url := "https://" + name + ".example/hook"
	page, err := v.Deliveries(v.t.Context(),
		store.DeliveryQuery{SubscriptionID: v.subscriptionAt(url), EventID: ev.ID})
	if err != nil || len(page.Items) != 1 {
		v.t.Fatalf("%s: event %s has %d deliveries to %s, %v; want 1", v.s, ev.ID, len(page.Items), name,
			err)
	}
	var first []string // what was sent
	for _, r := range v.seen(url) {
		switch {
		case r.EventID != ev.ID:
		case r.Attempt == 1:
			first = append(first, r.Body)
		case !slices.Contains(first, r.Body):
			v.t.Errorf("%s: attempt %d sent %q, want one of %q", v.s, r.Attempt, r.Body, first)
		}
	}
	switch d := page.Items[0]; {
	case d.State != want || (len(first) > 0) != (attempts > 0):
		v.t.Errorf("%s: event %s at %s is %s after %d first requests, want it %s", v.s, ev.ID, name,
			d.State, len(first), want)
	case d.Attempts != attempts:
		v.t.Errorf("%s: event %s at %s has %d attempts counted, want %d: trouble with the store is none",
			v.s, ev.ID, name, d.Attempts, attempts)
	}
}
