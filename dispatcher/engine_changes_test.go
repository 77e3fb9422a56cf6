package dispatcher_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// TestObserverIsToldOfChanges wants each change of a subscription to be told once, and what it
// canceled.
func TestObserverIsToldOfChanges(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var got []string
		e := newEngine(t, s, &dispatcher.Options{Observer: &dispatcher.Observer{
			OnSubscription: func(sub store.Subscription) {
				got = append(got, "changed "+sub.Name+" "+string(sub.Status))
			},
			OnDelete:   func(sub store.Subscription) { got = append(got, "deleted "+sub.Name) },
			OnDisabled: func(sub store.Subscription) { got = append(got, "disabled "+sub.Name) },
			OnCanceled: func(c dispatcher.Cancellation) {
				got = append(got, "canceled "+c.Tenant+" "+c.SubscriptionID[:1]+c.EventID+": "+c.Reason)
			},
		}})
		want := func(what string, want ...string) {
			t.Helper()
			if !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", what, got, want)
			}
			got = nil
		}
		sub := store.Subscription{ID: "3e639566-29fa-450d-a59f-ae3c25d7260f", Tenant: "acme", Name: "A",
			URL: "https://a.example/hook"}
		if _, err := e.Subscribe(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
		want("subscribe", "changed A Subscribed")
		for range 2 {
			if _, err := e.Unsubscribe(t.Context(), sub.ID); err != nil {
				t.Fatal(err)
			}
		}
		want("unsubscribe twice", "changed A Unsubscribed", "canceled acme 3: unsubscribed",
			"changed A Unsubscribed")
		if _, err := e.Subscribe(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
		got = nil
		e.status(http.StatusGone)
		e.run()
		publishFor(t, e, "acme", "order.created")
		pass(time.Second)
		want("410", "changed A Unsubscribed", "canceled acme 3: the endpoint answered 410 Gone",
			"disabled A")
		if err := e.Delete(t.Context(), sub.ID); err != nil {
			t.Fatal(err)
		}
		want("delete", "deleted A")
		if err := e.Delete(t.Context(), sub.ID); err == nil {
			t.Error("deleted twice")
		}
		want("delete again")
	})
}

// TestObserverThatBlocksDelaysNoDisabling has an observer block in what Run tells it while
// endpoints answer 410.
func TestObserverThatBlocksDelaysNoDisabling(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		unblock := make(chan struct{})
		e := newEngine(t, s, nil)
		for i := range 100 {
			e.subscribe(nthURL(i))
		}
		e.restart(&dispatcher.Options{Observer: &dispatcher.Observer{
			OnSubscription: func(store.Subscription) { <-unblock },
			OnCanceled:     func(dispatcher.Cancellation) { <-unblock },
		}})
		e.status(http.StatusGone)
		e.publish("order.created", 1)
		e.run()
		pass(time.Minute)
		page, err := e.Subscriptions(t.Context(), store.SubscriptionQuery{})
		if err != nil {
			t.Fatal(err)
		}
		for _, sub := range page.Items {
			if sub.Status != store.Unsubscribed {
				t.Fatalf("the subscription %s is not disabled yet", sub.URL)
			}
		}
		close(unblock)
	})
}
