package dispatcher_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// subscribeNamed subscribes an endpoint of a tenant.
func (e *engine) subscribeNamed(tenant, name string, types ...string) store.Subscription {
	e.t.Helper()
	sub, err := e.Subscribe(e.t.Context(), store.Subscription{
		Tenant: tenant, Name: name, URL: "https://" + name + ".example/hook", Events: types,
	})
	if err != nil {
		e.t.Fatal(err)
	}
	return sub
}

func TestEventSaysWhoGotItAndWhyOthersDidNot(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{
			Filter: func(sub store.Subscription, _ events.Event) bool { return sub.Name != "filtered" },
			Final:  func(int) bool { return true },
		})
		e.answers(func(r request) reply {
			switch {
			case strings.Contains(r.URL, "pending"):
				return reply{Status: 500}
			case strings.Contains(r.URL, "dead"):
				return reply{Status: 422}
			}
			return reply{Status: 200}
		})
		e.subscribeNamed("acme", "delivered")
		e.subscribeNamed("acme", "pending")
		e.subscribeNamed("acme", "dead")
		e.subscribeNamed("acme", "filtered")
		e.subscribeNamed("acme", "type", "order.updated")
		unsubscribed := e.subscribeNamed("acme", "unsubscribed")
		canceled := e.subscribeNamed("acme", "canceled")
		changed := e.subscribeNamed("acme", "changed", "order.updated")
		gone := e.subscribeNamed("acme", "gone")
		e.subscribeNamed("another", "another")
		if _, err := e.Unsubscribe(t.Context(), unsubscribed.ID); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		ev, err := events.New("order.created", "o-4711")
		if err != nil {
			t.Fatal(err)
		}
		ev.Tenant, ev.Key = "acme", "4711"
		if err := e.Publish(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Unsubscribe(t.Context(), canceled.ID); err != nil {
			t.Fatal(err)
		}
		e.run()
		pass(5 * time.Minute)
		if err := e.Delete(t.Context(), gone.ID); err != nil {
			t.Fatal(err)
		}
		e.subscribeNamed("acme", "later")
		_, err = e.Update(t.Context(), changed.ID, func(sub *store.Subscription) error {
			sub.Events = nil
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		r, err := e.Event(t.Context(), dispatcher.EventQuery{Tenant: "acme", EventID: ev.ID})
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := ev.Body(); string(r.Event.Body) != string(body) || r.Event.Key != "4711" {
			t.Errorf("the event is %+v, want the one that was published", r.Event)
		}
		var got []string
		for _, s := range r.Subscriptions {
			state := store.State("none")
			if s.Delivery != nil {
				state = s.Delivery.State
			}
			got = append(got, fmt.Sprintf("%s %s %q", s.Subscription.Name, state, s.Missed))
		}
		want := []string{
			`delivered delivered ""`, `pending pending ""`, `dead dead "dead"`,
			`filtered canceled "filtered"`, `type none "type"`, `unsubscribed none "unsubscribed"`,
			`canceled canceled "canceled"`, `changed none "changed"`, `later none "subscribed_later"`,
		}
		if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
			t.Errorf("got\n%s\nwant\n%s", g, w)
		}
		for _, tenant := range []string{"another", ""} {
			q := dispatcher.EventQuery{Tenant: tenant, EventID: ev.ID}
			if _, err := e.Event(t.Context(), q); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the event of tenant %q: %v, want store.ErrNotFound", tenant, err)
			}
		}
	})
}

func TestEventOfADeliveryThatWasRemoved(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Retention: time.Hour})
		e.answers(func(r request) reply {
			if strings.Contains(r.URL, "slow") {
				return reply{Status: 500}
			}
			return reply{Status: 200}
		})
		e.subscribeNamed("", "slow")
		e.subscribeNamed("", "quick")
		pass(time.Minute)
		e.run()
		ev := e.publish("order.created", 0)
		pass(6 * time.Hour)
		r, err := e.Event(t.Context(), dispatcher.EventQuery{EventID: ev.ID})
		if err != nil || len(r.Subscriptions) != 2 {
			t.Fatalf("got %+v, %v, want a report of two subscriptions", r, err)
		}
		if got := r.Subscriptions[1]; got.Delivery != nil || got.Missed != dispatcher.MissedRemoved {
			t.Errorf("got %+v, want a delivery that was removed", got)
		}
	})
}

// TestEventOfManySubscriptions goes through more subscriptions, and deliveries, than one report and
// one read have.
func TestEventOfManySubscriptions(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		const n = 650
		e := newEngine(t, s, &dispatcher.Options{
			Quota: func(string) dispatcher.Quota { return dispatcher.Quota{Subscriptions: 2 * n} },
		})
		want := make(map[string]bool)
		for i := range n {
			types := []string{"order.created"}
			if i%65 == 0 {
				types[0] = "order.updated"
			}
			want[e.subscribeNamed("", fmt.Sprint("n", i), types...).ID] = i%65 != 0
		}
		ev := e.publish("order.created", 0)
		seen, cursor := 0, ""
		for {
			r, err := e.Event(t.Context(),
				dispatcher.EventQuery{EventID: ev.ID, Cursor: cursor})
			if err != nil || len(r.Subscriptions) > dispatcher.EventPage {
				t.Fatalf("got a report of %d, %v, want %d at most", len(r.Subscriptions), err,
					dispatcher.EventPage)
			}
			for _, s := range r.Subscriptions {
				id := s.Subscription.ID
				if got := s.Delivery != nil; got != want[id] {
					t.Errorf("%s has a delivery: %t, want %t", s.Subscription.Name, got, want[id])
				}
				seen++
			}
			if cursor = r.Next; cursor == "" {
				break
			}
		}
		if seen != n {
			t.Errorf("%d subscriptions are reported, want %d", seen, n)
		}
		var invalid *events.InvalidError
		if _, err := e.Event(t.Context(),
			dispatcher.EventQuery{EventID: ev.ID, Cursor: "none"}); !errors.As(err, &invalid) {
			t.Errorf("a bad cursor: %v, want an *events.InvalidError", err)
		}
	})
}
