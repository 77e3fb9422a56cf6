package dispatcher_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

func TestFilterCancelsWhatIsNotWanted(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var canceled []dispatcher.Cancellation
		e := newEngine(t, s, &dispatcher.Options{
			Filter: func(sub store.Subscription, ev events.Event) bool {
				return strings.Contains(sub.Name, string(ev.Payload))
			},
			Observer: &dispatcher.Observer{OnCanceled: func(c dispatcher.Cancellation) {
				canceled = append(canceled, c)
			}},
		})
		sub, err := e.Subscribe(t.Context(),
			store.Subscription{URL: "https://a.example/hook", Tenant: "acme", Name: "1 and 3"})
		if err != nil {
			t.Fatal(err)
		}
		e.run()
		var evs []events.Event
		for i := range 4 { // with one key, so that each must end for the next to go
			ev, err := events.New("order.created", i)
			if err != nil {
				t.Fatal(err)
			}
			ev.Tenant, ev.Key = "acme", "one"
			evs = append(evs, ev)
		}
		if err := e.Publish(t.Context(), evs...); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		e.stop()
		if n := len(e.seen("")); n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
		for i, ev := range evs {
			if i%2 == 1 {
				e.wantState(ev, store.Delivered)
				continue
			}
			if d := e.wantState(ev, store.Canceled); d.Attempts != 0 ||
				d.LastError != dispatcher.ReasonFiltered {
				t.Errorf("%d attempts and %q, want none and %q", d.Attempts, d.LastError,
					dispatcher.ReasonFiltered)
			}
		}
		want := []dispatcher.Cancellation{
			{SubscriptionID: sub.ID, EventID: evs[0].ID, Tenant: "acme", Reason: dispatcher.ReasonFiltered},
			{SubscriptionID: sub.ID, EventID: evs[2].ID, Tenant: "acme", Reason: dispatcher.ReasonFiltered},
		}
		if !slices.Equal(canceled, want) {
			t.Errorf("got  %+v\nwant %+v", canceled, want)
		}
		if st, err := e.SubscriptionStats(t.Context(), sub.ID); err != nil || st.Failures != 0 ||
			st.Pending != 0 || st.Hour.Delivered != 2 {
			t.Errorf("stats are %+v, %v; want the health untouched", st, err)
		}
	})
}

func TestFilterGetsCopiesOfSubscriptionAndEvent(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var mu sync.Mutex
		var got []events.Event
		e := newEngine(t, s, &dispatcher.Options{Filter: func(sub store.Subscription,
			ev events.Event) bool {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, ev)
			got[len(got)-1].Payload = json.RawMessage(string(ev.Payload))
			clear(ev.Payload)
			sub.Headers["X-Mine"] = "overwritten"
			return true
		}})
		for _, url := range []string{"https://a.example/hook", "https://b.example/hook"} {
			if _, err := e.Subscribe(t.Context(),
				store.Subscription{URL: url, Headers: map[string]string{"X-Mine": "kept"}}); err != nil {
				t.Fatal(err)
			}
		}
		ev, err := events.New("order.created", map[string]string{"of": "tea"})
		if err != nil {
			t.Fatal(err)
		}
		ev.Key, ev.Trace = "k", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
		if err := e.Publish(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
		e.run()
		pass(time.Second)
		e.stop()
		for _, g := range got {
			if !g.Time.Equal(ev.Time) {
				t.Errorf("the time is %v, want %v", g.Time, ev.Time)
			}
			g.Time = ev.Time
			if g.ID != ev.ID || g.Type != ev.Type || g.Key != ev.Key || g.Trace != ev.Trace ||
				string(g.Payload) != string(ev.Payload) {
				t.Errorf("the filter got %+v, want %+v", g, ev)
			}
		}
		body, _ := ev.Body()
		for _, r := range e.seen("") {
			if r.Body != string(body) || r.Header.Get("X-Mine") != "kept" {
				t.Errorf("sent %s with %q; what the filter did to its arguments went out", r.Body,
					r.Header.Get("X-Mine"))
			}
		}
		if len(got) != 2 || len(e.seen("")) != 2 {
			t.Errorf("asked %d times, %d requests; want 2", len(got), len(e.seen("")))
		}
	})
}

func TestFilterIsAskedBeforeTheFirstAttemptOnly(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var asked atomic.Int32
		wanted := true
		e := newEngine(t, s, &dispatcher.Options{Backoff: noJitter,
			Filter: func(store.Subscription, events.Event) bool {
				asked.Add(1)
				return wanted
			}})
		sub := e.subscribe("https://a.example/hook")
		e.status(http.StatusInternalServerError)
		e.run()
		ev := e.publish("order.created", 1)
		pass(time.Second)
		wanted = false
		e.status(200)
		pass(time.Minute)
		if d := e.wantState(ev, store.Delivered); d.Attempts != 2 || asked.Load() != 1 {
			t.Errorf("asked %d times for %d attempts, want once for 2", asked.Load(), d.Attempts)
		}

		unwanted := e.publish("order.created", 2)
		pass(time.Second)
		e.wantState(unwanted, store.Canceled)
		wanted = true
		if err := e.Redeliver(t.Context(), sub.ID, unwanted.ID); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if d := e.wantState(unwanted, store.Delivered); d.Attempts != 1 || asked.Load() != 3 {
			t.Errorf("asked %d times in all, %d attempts; want the redelivery to be asked about anew",
				asked.Load(), d.Attempts)
		}
	})
}

func TestFilterThatPanicsIsAskedAgain(t *testing.T) {
	for _, wanted := range []bool{true, false} {
		onEachStore(t, func(t *testing.T, s store.Store) {
			var asked int
			e := newEngine(t, s, &dispatcher.Options{Backoff: noJitter,
				Filter: func(store.Subscription, events.Event) bool {
					if asked++; asked <= 2 {
						panic("the filter panics")
					}
					return wanted
				}})
			e.subscribe("https://a.example/hook")
			e.answers(func(r request) reply {
				if r.Attempt == 3 {
					return reply{Err: errors.New("broken")}
				}
				return reply{Status: 200}
			})
			e.run()
			ev := e.publish("order.created", 1)
			pass(time.Second)
			if d := e.wantState(ev, store.Pending); d.Attempts != 1 ||
				dispatcher.ErrorClass(d.LastError) == "" {
				t.Errorf("%d attempts and %q, want a failed attempt", d.Attempts, d.LastError)
			}
			pass(time.Hour)
			if asked != 3 {
				t.Errorf("asked %d times, want 3: until it has answered", asked)
			}
			body, _ := ev.Body()
			if !wanted {
				if d := e.wantState(ev, store.Canceled); d.Attempts != 2 || len(e.seen("")) != 0 {
					t.Errorf("%d attempts, %d requests; want 2 and none", d.Attempts, len(e.seen("")))
				}
				return
			}
			if d := e.wantState(ev, store.Delivered); d.Attempts != 4 || len(e.seen("")) != 2 {
				t.Errorf("%d attempts, %d requests; want 4 and 2", d.Attempts, len(e.seen("")))
			}
			for _, r := range e.seen("") {
				if r.Body != string(body) {
					t.Errorf("attempt %d sent %q, want %s", r.Attempt, r.Body, body)
				}
			}
		})
	}
}
