package dispatcher_test

import (
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Promise 6: first attempts start in publish order, and events with a Key go one after another.

func TestFirstAttemptsStartInPublishOrder(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{PerSubscription: 1})
		e.subscribe("https://a.example/hook")
		e.answers(func(r request) reply {
			if r.Attempt == 1 && len(r.EventID)%2 == 0 && r.EventID[len(r.EventID)-1] < '4' {
				return reply{Status: 500}
			}
			return reply{Status: 200}
		})
		var want []string
		publish := func(n int) {
			var evs []events.Event
			for i := range n {
				ev, err := events.New("order.created", i)
				if err != nil {
					t.Fatal(err)
				}
				evs, want = append(evs, ev), append(want, ev.ID)
			}
			if err := e.Publish(t.Context(), evs...); err != nil {
				t.Fatal(err)
			}
		}
		publish(100)
		publish(1)
		e.run()
		pass(100 * time.Millisecond)
		publish(50)
		publish(1)
		pass(24 * time.Hour)
		var got []string
		for _, r := range e.seen("") {
			if r.Attempt == 1 {
				got = append(got, r.EventID)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("first attempts did not start in the order of publishing")
		}
		if n := e.states()[store.Delivered]; n != 152 {
			t.Errorf("%d delivered, want 152", n)
		}
	})
}

func TestKeyKeepsEventsOneAfterAnother(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Backoff: dispatcher.Backoff{Jitter: -1, MaxAttempts: 3}})
		e.subscribe("https://a.example/hook")
		names := make(map[string]string)
		publish := func(name, key string) {
			ev, err := events.New("order.created", name)
			if err != nil {
				t.Fatal(err)
			}
			ev.Key = key
			names[ev.ID] = name
			if err := e.Publish(t.Context(), ev); err != nil {
				t.Fatal(err)
			}
		}
		e.answers(func(r request) reply {
			if names[r.EventID] == "a1" { // fails until it is dead
				return reply{Status: 500}
			}
			return reply{Status: 200, Delay: time.Second}
		})
		for _, name := range []string{"a1", "b1", "a2", "b2", "a3", "b3"} {
			publish(name, name[:1])
		}
		publish("free", "")
		e.run()
		pass(4 * time.Second)
		e.stop() // order within a key outlasts a restart
		e.restart(&dispatcher.Options{Backoff: dispatcher.Backoff{Jitter: -1, MaxAttempts: 3}})
		e.run()
		pass(time.Minute)
		started := make(map[string]time.Time)
		var order []string
		for _, r := range e.seen("") {
			name := names[r.EventID]
			if _, ok := started[name]; !ok {
				order = append(order, name)
			}
			started[name] = r.At
		}
		for _, pair := range [][2]string{{"a1", "a2"}, {"a2", "a3"}, {"b1", "b2"}, {"b2", "b3"}} {
			if slices.Index(order, pair[0]) > slices.Index(order, pair[1]) {
				t.Errorf("%s started before %s", pair[1], pair[0])
			}
			if started[pair[1]].Before(started[pair[0]]) {
				t.Errorf("%s started before the last attempt of %s", pair[1], pair[0])
			}
		}
		if d := started["free"].Sub(started["b1"]); d > time.Second {
			t.Errorf("an event without a key waited %v for those with one", d)
		}
		if got := e.states(); got[store.Delivered] != 6 || got[store.Dead] != 1 {
			t.Errorf("states are %v, want a1 dead and the others delivered: a dead one lets the next go",
				got)
		}
	})
}
