package dispatcher_test

import (
	"encoding/json"
	"errors"
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

const listener = "https://listener.example/hook"

// operational returns the payloads of the operational events that the listener got.
func (e *engine) operational() (disabled []events.WebhookDisabled,
	exhausted []events.WebhookExhausted) {
	e.t.Helper()
	ids := make(map[string]bool)
	for _, r := range e.seen(listener) {
		if ids[r.EventID] {
			continue // a retry
		}
		ids[r.EventID] = true
		var body struct {
			Type    string
			Payload json.RawMessage
		}
		if err := json.Unmarshal([]byte(r.Body), &body); err != nil {
			e.t.Fatal(err)
		}
		var d events.WebhookDisabled
		var x events.WebhookExhausted
		switch body.Type {
		case events.TypeDisabled:
			json.Unmarshal(body.Payload, &d)
			disabled = append(disabled, d)
		case events.TypeExhausted:
			json.Unmarshal(body.Payload, &x)
			exhausted = append(exhausted, x)
		default:
			e.t.Errorf("the listener got %s", body.Type)
		}
	}
	return disabled, exhausted
}

func subscribeFor(t *testing.T, e *engine, tenant, url string,
	patterns ...string) store.Subscription {
	t.Helper()
	sub, err := e.Subscribe(t.Context(),
		store.Subscription{Tenant: tenant, URL: url, Events: patterns})
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func publishFor(t *testing.T, e *engine, tenant, eventType string) events.Event {
	t.Helper()
	ev, err := events.New(eventType, 1)
	if err != nil {
		t.Fatal(err)
	}
	ev.Tenant = tenant
	if err := e.Publish(t.Context(), ev); err != nil {
		t.Fatal(err)
	}
	return ev
}

func TestOperationalEventsTellWhoAsks(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var published []string
		e := newEngine(t, s, &dispatcher.Options{
			OperationalEvents: true,
			Backoff:           dispatcher.Backoff{MaxAttempts: 2},
			Observer: &dispatcher.Observer{OnPublish: func(evs []events.Event) {
				for _, ev := range evs {
					if events.Operational(ev.Type) {
						published = append(published, ev.Type)
					}
				}
			}},
		})
		e.answers(func(r request) reply {
			switch {
			case strings.Contains(r.URL, "gone"):
				return reply{Status: http.StatusGone}
			case strings.Contains(r.URL, "broken"):
				return reply{Status: http.StatusBadGateway}
			}
			return reply{Status: 200}
		})
		gone := subscribeFor(t, e, "acme", "https://gone.example/hook", "a.gone")
		broken := subscribeFor(t, e, "acme", "https://broken.example/hook", "a.broken")
		subscribeFor(t, e, "acme", listener, events.TypeDisabled, events.TypeExhausted)
		subscribeFor(t, e, "acme", "https://everything.example/hook")
		subscribeFor(t, e, "acme", "https://family.example/hook", "webhook.*")
		subscribeFor(t, e, "other", "https://other.example/hook", events.TypeDisabled,
			events.TypeExhausted)
		e.run()
		evGone, evBroken := publishFor(t, e, "acme", "a.gone"), publishFor(t, e, "acme", "a.broken")
		pass(time.Hour)
		e.stop()
		disabled, exhausted := e.operational()
		if want := (events.WebhookDisabled{WebhookID: gone.ID,
			Reason: "the endpoint answered 410 Gone"}); len(disabled) != 1 || disabled[0] != want {
			t.Errorf("got %+v, want %+v", disabled, want)
		}
		want := map[string]events.WebhookExhausted{
			evGone.ID: {
				WebhookID: gone.ID, EventID: evGone.ID, Type: "a.gone", Attempts: 1, LastStatus: 410,
				Error: "http_status: 410 Gone", Reason: "the endpoint answered 410 Gone",
			},
			evBroken.ID: {
				WebhookID: broken.ID, EventID: evBroken.ID, Type: "a.broken", Attempts: 2, LastStatus: 502,
				Error: "http_status: 502 Bad Gateway", Reason: "its attempts are used up",
			},
		}
		for _, x := range exhausted {
			if x != want[x.EventID] {
				t.Errorf("got %+v, want %+v", x, want[x.EventID])
			}
		}
		if len(exhausted) != 2 || len(published) != 3 {
			t.Errorf("%d exhausted and %d published, want 2 and 3", len(exhausted), len(published))
		}
		for _, url := range []string{"https://family.example/hook", "https://other.example/hook"} {
			if n := len(e.seen(url)); n != 0 {
				t.Errorf("%s got %d requests, want none", url, n)
			}
		}
		if n := len(e.seen("https://everything.example/hook")); n != 2 {
			t.Errorf("who wants all types got %d requests, want the two that are not operational", n)
		}
	})
}

// TestOperationalEventsMakeNoLoop has the listener itself fail.
func TestOperationalEventsMakeNoLoop(t *testing.T) {
	for _, tt := range []struct {
		name         string
		attempts     int
		disableAfter time.Duration
		want         int
	}{
		{"until its deliveries are dead", 2, -1, 1},          // one for the broken one
		{"until it is disabled", 15, 5 * time.Minute, 1 + 1}, // and one for the listener itself
	} {
		t.Run(tt.name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, s store.Store) {
				e := newEngine(t, s, &dispatcher.Options{
					OperationalEvents: true,
					Backoff: dispatcher.Backoff{Initial: time.Minute, Max: time.Minute,
						MaxAttempts: tt.attempts},
					DisableAfter: tt.disableAfter,
				})
				e.status(http.StatusBadGateway)
				e.subscribe("https://broken.example/hook", "a.*")
				e.subscribe(listener, events.TypeDisabled, events.TypeExhausted)
				e.run()
				e.publish("a.b", 1)
				pass(24 * time.Hour)
				got := 0
				for _, d := range e.deliveries() {
					if events.Operational(d.EventType) {
						got++
					}
				}
				if got != tt.want {
					t.Errorf("%d deliveries of operational events in a day, want %d", got, tt.want)
				}
			})
		})
	}
}

// subscriptionAt returns the ID of the subscription with the URL.
func (e *engine) subscriptionAt(url string) string {
	e.t.Helper()
	page, err := e.Subscriptions(e.t.Context(), store.SubscriptionQuery{AnyTenant: true})
	if err != nil {
		e.t.Fatal(err)
	}
	for _, sub := range page.Items {
		if sub.URL == url {
			return sub.ID
		}
	}
	e.t.Fatalf("no subscription has the URL %s", url)
	return ""
}

func TestOperationalEventsAreOffUnlessAskedFor(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Backoff: dispatcher.Backoff{MaxAttempts: 1}})
		e.answers(func(r request) reply { return reply{Status: http.StatusGone} })
		e.subscribe("https://gone.example/hook", "a.*")
		e.subscribe(listener, events.TypeDisabled, events.TypeExhausted)
		e.run()
		e.publish("a.b", 1)
		pass(time.Hour)
		if n := len(e.seen(listener)); n != 0 {
			t.Errorf("%d operational events, want none", n)
		}
	})
}

// TestOperationalEventsOutlastStoreTrouble has the store fail, before and after the work, when they
// are published.
func TestOperationalEventsOutlastStoreTrouble(t *testing.T) {
	for _, kind := range []faultKind{faultBefore, faultAfter, faultPanic} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &faultyStore{Store: memstore.New(), method: "Enqueue", kind: kind, k: 2, run: 3,
					calls: make(map[string]int)}
				e := newEngine(t, s, &dispatcher.Options{OperationalEvents: true})
				e.answers(func(r request) reply {
					if r.URL == listener {
						return reply{Status: 200}
					}
					return reply{Status: http.StatusGone}
				})
				e.subscribe("https://gone.example/hook", "a.*")
				e.subscribe(listener, events.TypeDisabled, events.TypeExhausted)
				e.run()
				e.publish("a.b", 1)
				pass(time.Minute)
				if disabled, exhausted := e.operational(); len(disabled) != 1 || len(exhausted) != 1 {
					t.Errorf("%d disabled and %d exhausted, want one each", len(disabled), len(exhausted))
				}
				if n := len(e.seen(listener)); n != 2 {
					t.Errorf("%d requests, want 2: publishing again is no second event", n)
				}
			})
		})
	}
}

func TestOperationalTypesInTheCatalogue(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outhook.db")
	synctest.Test(t, func(t *testing.T) {
		s := openBolt(t, path)
		for _, on := range []bool{true, false} {
			e := newEngine(t, s, &dispatcher.Options{OperationalEvents: on,
				EventTypes: []events.Type{{Name: "order.paid"}}})
			_, err := e.Subscribe(t.Context(),
				store.Subscription{URL: listener, Events: []string{events.TypeDisabled}})
			invalid := (*events.InvalidError)(nil)
			if on && err != nil || !on && (!errors.As(err, &invalid) || invalid.Field != "events") {
				t.Errorf("on is %t: subscribing to %s: %v", on, events.TypeDisabled, err)
			}
			if _, err := e.Subscribe(t.Context(),
				store.Subscription{URL: listener, Events: []string{"webhook.*"}}); !errors.As(err, &invalid) {
				t.Errorf("on is %t: subscribing to webhook.*, which matches nothing: %v", on, err)
			}
			if got, want := len(e.EventTypes()), map[bool]int{true: 3, false: 1}[on]; got != want {
				t.Errorf("on is %t: %d event types, want %d", on, got, want)
			}
			ev, _ := events.New(events.TypeDisabled, 1)
			if err := e.Publish(t.Context(), ev); !errors.As(err, &invalid) || invalid.Field != "type" {
				t.Errorf("on is %t: publishing %s: %v, want it refused", on, ev.Type, err)
			}
		}
	})
}
