package dispatcher_test

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/cloudevents"
	"github.com/outhook/outhook/store"
)

// countingClaims counts calls of Claim and the claims that they return.
type countingClaims struct {
	store.Store
	mu           sync.Mutex // guards what follows
	calls, taken int
}

func (c *countingClaims) Claim(
	ctx context.Context, req store.ClaimRequest,
) (store.ClaimResult, error) {
	result, err := c.Store.Claim(ctx, req)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	c.taken += len(result.Claims)
	return result, err
}

func (c *countingClaims) counts() (calls, taken int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls, c.taken
}

// enqueue publishes an event as change leaves it.
func (e *engine) enqueue(change func(*events.Event)) events.Event {
	e.t.Helper()
	ev, err := events.New("order.created", 1)
	if err != nil {
		e.t.Fatal(err)
	}
	change(&ev)
	if err := e.Publish(e.t.Context(), ev); err != nil {
		e.t.Fatal(err)
	}
	return ev
}

// TestLater has very many events wait for tomorrow. One that does not is attempted at once, and
// none of them is claimed, however long the rest of the day is; tomorrow all go, none of them
// early.
func TestLater(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		const many = 3000
		counted := &countingClaims{Store: s}
		e := newEngine(t, counted, nil)
		e.subscribe("https://a.example/hook")
		e.run()
		tomorrow := time.Now().Add(24 * time.Hour)
		for range many / 1000 {
			batch := make([]events.Event, 1000)
			for i := range batch {
				var err error
				if batch[i], err = events.New("order.created", i); err != nil {
					t.Fatal(err)
				}
				batch[i].NotBefore = tomorrow
			}
			if err := e.Publish(t.Context(), batch...); err != nil {
				t.Fatal(err)
			}
		}
		settle()
		before, _ := counted.counts()
		for range 10 {
			began, ev := time.Now(), e.publish("order.created", 1)
			settle()
			seen := e.seen("")
			if last := seen[len(seen)-1]; last.EventID != ev.ID || last.At.Sub(began) > 20*time.Millisecond {
				t.Fatalf("after %v: got an attempt of %s at %v, want one of %s at once", began,
					last.EventID, last.At, ev.ID)
			}
		}
		if calls, taken := counted.counts(); taken != 10 || calls-before > 10*10 {
			t.Errorf("%d calls of Claim took %d deliveries, want 10 deliveries by about as many",
				calls-before, taken)
		}
		pass(time.Until(tomorrow) - time.Minute)
		if got := len(e.seen("")); got != 10 {
			t.Errorf("%d attempts a minute before the time, want those of the 10", got)
		}
		pass(time.Hour)
		if n := e.states(); n[store.Delivered] != many+10 {
			t.Errorf("an hour after the time: %v, want all delivered", n)
		}
		for _, r := range e.seen("")[10:] {
			if r.At.Before(events.Millisecond(tomorrow)) {
				t.Fatalf("an attempt at %v, want none before %v", r.At, tomorrow)
			}
		}
	})
}

// TestExpires has an endpoint that is down for a day. What expires meanwhile is never sent, nothing
// is attempted after its time, and the rest arrives.
func TestExpires(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Backoff: noJitter})
		e.subscribe("https://a.example/hook")
		e.status(http.StatusInternalServerError)
		e.run()
		soon := time.Now().Add(10 * time.Minute)
		gone := e.enqueue(func(ev *events.Event) { ev.ExpiresAt = soon })
		keyed := e.enqueue(func(ev *events.Event) { ev.ExpiresAt, ev.Key = soon, "k" })
		behind := e.enqueue(func(ev *events.Event) { ev.Key = "k" })
		stays := e.enqueue(func(ev *events.Event) { ev.ExpiresAt = soon.Add(100 * time.Hour) })
		pass(24 * time.Hour)
		e.status(200)
		pass(48 * time.Hour)
		want := map[string]store.State{
			gone.ID: store.Canceled, keyed.ID: store.Canceled, behind.ID: store.Delivered,
			stays.ID: store.Delivered,
		}
		for _, d := range e.deliveries() {
			if d.State != want[d.EventID] || (d.State == store.Canceled) != (d.LastError == "expired") {
				t.Errorf("%s is %s, %q; want %s", d.EventID, d.State, d.LastError, want[d.EventID])
			}
		}
		for _, r := range e.seen("") {
			if (r.EventID == gone.ID || r.EventID == keyed.ID) && !r.At.Before(soon) {
				t.Errorf("attempt %d of %s at %v, want none from %v on", r.Attempt, r.EventID, r.At, soon)
			}
		}
	})
}

// TestHooksGetTags wants every function of the host that is asked about a delivery to see what the
// host has published with the event, and what the owner has written on the subscription.
func TestHooksGetTags(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		subs := make(map[string]store.Subscription) // by the function
		evs := make(map[string]events.Event)
		var mu sync.Mutex
		saw := func(hook string, sub store.Subscription, ev *events.Event) {
			mu.Lock()
			defer mu.Unlock()
			subs[hook] = sub
			if ev != nil {
				evs[hook] = *ev
			}
		}
		e := newEngine(t, s, &dispatcher.Options{
			Filter: func(sub store.Subscription, ev events.Event) bool {
				saw("Filter", sub, &ev)
				return true
			},
			Transform: func(
				_ context.Context, sub store.Subscription, ev events.Event, _ *dispatcher.Request,
			) error {
				saw("Transform", sub, &ev)
				return nil
			},
			Policy: func(sub store.Subscription) dispatcher.Policy {
				saw("Policy", sub, nil)
				return dispatcher.Policy{}
			},
			CloudEvents: func(sub store.Subscription) cloudevents.Format {
				saw("CloudEvents", sub, nil)
				return cloudevents.Format{}
			},
			Authenticate: func(
				_ context.Context, sub store.Subscription, _ http.Header,
			) (http.Header, error) {
				saw("Authenticate", sub, nil)
				return nil, nil
			},
		})
		if _, err := e.Subscribe(t.Context(), store.Subscription{
			URL: "https://a.example/hook", Description: "for the people of CRM",
			Metadata: map[string]string{"team": "crm"},
		}); err != nil {
			t.Fatal(err)
		}
		e.run()
		want := e.enqueue(func(ev *events.Event) {
			ev.Tags, ev.NotBefore = []string{"vip", "a"}, time.Now().Add(time.Second)
			ev.ExpiresAt = time.Now().Add(time.Hour)
		})
		pass(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		for _, hook := range []string{"Filter", "Transform", "Policy", "CloudEvents", "Authenticate"} {
			if sub := subs[hook]; sub.Metadata["team"] != "crm" ||
				sub.Description != "for the people of CRM" {
				t.Errorf("%s got %+v, want its description and metadata", hook, sub)
			}
		}
		for _, hook := range []string{"Filter", "Transform"} {
			if ev := evs[hook]; !slices.Equal(ev.Tags, []string{"a", "vip"}) ||
				!ev.NotBefore.Equal(events.Millisecond(want.NotBefore)) ||
				!ev.ExpiresAt.Equal(events.Millisecond(want.ExpiresAt)) {
				t.Errorf("%s got %+v, want it with the tags and times of %+v", hook, ev, want)
			}
		}
	})
}
