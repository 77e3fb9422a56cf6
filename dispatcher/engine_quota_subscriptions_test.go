package dispatcher_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

func TestQuotaOfSubscriptions(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Quota: quotas(dispatcher.Quota{Subscriptions: 2})})
		first, second := e.subscribeFor("small", nthURL(1)), e.subscribeFor("small", nthURL(2))
		one := store.Subscription{Tenant: "small", URL: nthURL(3)}
		_, err := e.Subscribe(t.Context(), one)
		quotaError(t, "a third", err, "small", dispatcher.QuotaSubscriptions, 2)
		one.ID = "3e639566-29fa-450d-a59f-ae3c25d7260f"
		_, err = e.Subscribe(t.Context(), one)
		quotaError(t, "a third under an ID of its own", err, "small", dispatcher.QuotaSubscriptions,
			2)
		if _, err := e.Unsubscribe(t.Context(), first.ID); err != nil {
			t.Fatal(err)
		}
		_, err = e.Subscribe(t.Context(), one)
		quotaError(t, "a third when one is unsubscribed", err, "small",
			dispatcher.QuotaSubscriptions, 2)
		first.URL = nthURL(4)
		if got, err := e.Subscribe(t.Context(), first); err != nil || got.URL != nthURL(4) ||
			got.Status != store.Subscribed {
			t.Errorf("replacing one: %+v, %v", got, err)
		}
		for i := range 5 {
			e.subscribeFor("other", nthURL(i))
		}
		if err := e.Delete(t.Context(), second.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Subscribe(t.Context(), one); err != nil {
			t.Errorf("one when another was deleted: %v", err)
		}
	})
}

// TestQuotaOfSubscriptionsByDefault shows that a tenant may have a thousand without any option.
func TestQuotaOfSubscriptionsByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, memstore.New(), nil)
		for i := range dispatcher.DefaultSubscriptions {
			e.subscribe(nthURL(i))
		}
		_, err := e.Subscribe(t.Context(), store.Subscription{URL: nthURL(0)})
		quotaError(t, "one more", err, "", dispatcher.QuotaSubscriptions, 1000)
	})
}

// TestQuotaOfSubscriptionsAtOnce has many calls at once: no more of them succeed beyond the quota
// than were under way, and afterwards none does.
func TestQuotaOfSubscriptionsAtOnce(t *testing.T) {
	const limit, rounds, together = 20, 30, 4
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s,
			&dispatcher.Options{Quota: quotas(dispatcher.Quota{Subscriptions: limit})})
		var calls sync.WaitGroup
		for range together {
			calls.Go(func() {
				for range rounds {
					_, _ = e.Subscribe(t.Context(),
						store.Subscription{Tenant: "small", URL: nthURL(1)})
				}
			})
		}
		calls.Wait()
		page, err := e.Subscriptions(t.Context(), store.SubscriptionQuery{Tenant: "small"})
		if err != nil || page.Total < limit || page.Total > limit+together-1 {
			t.Errorf("%d subscriptions, %v; want %d, and fewer than %d more", page.Total, err,
				limit, together)
		}
	})
}

func TestQuotaOfBytes(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		limit := 200
		e := newEngine(t, s, &dispatcher.Options{Quota: func(string) dispatcher.Quota {
			return dispatcher.Quota{SubscriptionBytes: limit}
		}})
		sub := store.Subscription{
			URL: "https://a.example/hook", Name: "name", Events: []string{"a.b"},
			Headers: map[string]string{"X-A": "b"}, Secrets: []signing.Secret{"a-key-long-enough"},
		}
		sub.Headers["X-A"] = strings.Repeat("b", limit-len(sub.URL)-len("nameX-Aa.ba-key-long-enough"))
		made, err := e.Subscribe(t.Context(), sub)
		if err != nil {
			t.Fatalf("a subscription of %d bytes: %v", limit, err)
		}
		for what, grow := range map[string]func(*store.Subscription){
			"url":    func(s *store.Subscription) { s.URL += "x" },
			"name":   func(s *store.Subscription) { s.Name += "x" },
			"events": func(s *store.Subscription) { s.Events = append(s.Events, "c") },
			"fields": func(s *store.Subscription) { s.Fields = append(s.Fields, "c") },
			"filter": func(s *store.Subscription) { s.Filter = "{}" },

			"description": func(s *store.Subscription) { s.Description = "x" },
			"metadata":    func(s *store.Subscription) { s.Metadata = map[string]string{"a": ""} },
			"headers":     func(s *store.Subscription) { s.Headers["X"] = "" },
			"keys":        func(s *store.Subscription) { s.Secrets = append(s.Secrets, "another-key-of-them") },
		} {
			larger := sub.Clone()
			grow(&larger)
			_, err := e.Subscribe(t.Context(), larger)
			quotaError(t, "subscribe with more "+what, err, "", dispatcher.QuotaSubscriptionBytes,
				limit)
			larger.ID = made.ID
			_, err = e.Subscribe(t.Context(), larger)
			quotaError(t, "replace with more "+what, err, "", dispatcher.QuotaSubscriptionBytes,
				limit)
			_, err = e.Update(t.Context(), made.ID,
				func(s *store.Subscription) error { grow(s); return nil })
			quotaError(t, "update to more "+what, err, "", dispatcher.QuotaSubscriptionBytes, limit)
		}
		_, err = e.RotateSecret(t.Context(), made.ID, "another-key-of-them", time.Hour)
		quotaError(t, "rotate", err, "", dispatcher.QuotaSubscriptionBytes, limit)
		limit = 100 // what there was stays, and may become smaller
		got, err := e.Update(t.Context(), made.ID,
			func(s *store.Subscription) error { s.Name = "n"; return nil })
		if err != nil || got.Name != "n" {
			t.Errorf("an update to less, though more than the quota: %+v, %v", got, err)
		}
		if _, err := e.Unsubscribe(t.Context(), made.ID); err != nil {
			t.Errorf("unsubscribe: %v", err)
		}
	})
}
