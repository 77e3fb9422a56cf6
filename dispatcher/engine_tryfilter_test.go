package dispatcher_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

func TestFilterOfASubscriptionDecidesWhatIsStored(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		all := e.subscribeNamed("acme", "all")
		sub, err := e.Subscribe(t.Context(), store.Subscription{
			Tenant: "acme", Name: "large", URL: "https://large.example/hook",
			Filter: `{"total":{"$gte":100}}`,
		})
		if err != nil {
			t.Fatal(err)
		}
		ev, err := events.New("order.created", map[string]int{"total": 99})
		if err != nil {
			t.Fatal(err)
		}
		ev.Tenant = "acme"
		pass(1e9)
		if err := e.Publish(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
		r, err := e.Event(t.Context(), dispatcher.EventQuery{Tenant: "acme", EventID: ev.ID})
		if err != nil || len(r.Subscriptions) != 2 {
			t.Fatalf("got %+v, %v, want a report of two subscriptions", r, err)
		}
		if got := r.Subscriptions[0]; got.Subscription.ID != all.ID || got.Delivery == nil {
			t.Errorf("the one without a filter: %+v, want a delivery", got)
		}
		if got := r.Subscriptions[1]; got.Subscription.ID != sub.ID || got.Delivery != nil ||
			got.Missed != dispatcher.MissedFilter {
			t.Errorf("the one with a filter: %+v, want none and %q", got, dispatcher.MissedFilter)
		}
	})
}

func TestTestFilter(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Quota: manySubscriptions})
		e.subscribeNamed("acme", "a")
		e.subscribeNamed("acme", "b", "order.*")
		e.subscribeNamed("other", "other")
		publish := func(tenant, typ string, n int) {
			ev, err := events.New(typ, json.RawMessage(fmt.Sprintf(`{"n":%d,"x":0}`, n)))
			if err != nil {
				t.Fatal(err)
			}
			ev.Tenant = tenant
			if err := e.Publish(t.Context(), ev); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 5 {
			publish("acme", "order.created", i)
			publish("acme", "message.created", i)
			publish("other", "order.created", i)
		}
		got, err := e.TestFilter(t.Context(), store.Subscription{
			Tenant: "acme", Events: []string{"order.*"}, Filter: `{"n":{"$gt":2}}`,
			Fields: []string{"n"},
		})
		if err != nil || len(got) != 5 {
			t.Fatalf("got %+v, %v, want five tests", got, err)
		}
		for i, test := range got {
			n := 4 - i
			if test.Takes != (n > 2) || string(test.Payload) != fmt.Sprintf(`{"n":%d}`, n) ||
				test.Event.Tenant != "acme" || test.Event.Type != "order.created" {
				t.Errorf("test %d is %+v with payload %s, want that of %d", i, test, test.Payload, n)
			}
		}
		for _, sub := range []store.Subscription{
			{Filter: `{"n":[]}`}, {Fields: []string{""}}, {Events: []string{"*"}}, {Tenant: "\n"},
		} {
			var invalid *events.InvalidError
			if _, err := e.TestFilter(t.Context(), sub); !errors.As(err, &invalid) {
				t.Errorf("TestFilter of %+v: %v, want an InvalidError", sub, err)
			}
		}
		// One event to more subscriptions than a page of deliveries has, and none of another's.
		for i := range 130 {
			e.subscribeNamed("wide", fmt.Sprintf("n%d", i))
		}
		for i := range dispatcher.FilterTests + 5 {
			publish("wide", "order.created", i)
			pass(1e9)
		}
		got, err = e.TestFilter(t.Context(),
			store.Subscription{Tenant: "wide", Filter: `{"n":{"$gt":52}}`})
		if err != nil || len(got) < 5 || len(got) > dispatcher.FilterTests {
			t.Fatalf("got %d tests, %v, want some, and %d at most", len(got), err, dispatcher.FilterTests)
		}
		taken := 0
		for _, test := range got {
			if test.Takes {
				taken++
			}
		}
		if taken != 2 {
			t.Errorf("%d of the newest events are taken, want the two above 52", taken)
		}
	})
}
