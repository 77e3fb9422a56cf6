package dispatcher_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// quotas returns an Options.Quota that gives the tenant "small" a quota and all others none.
func quotas(small dispatcher.Quota) func(string) dispatcher.Quota {
	return func(tenant string) dispatcher.Quota {
		if tenant == "small" {
			return small
		}
		none := dispatcher.Unlimited
		return dispatcher.Quota{
			Subscriptions: none, SubscriptionBytes: none, Pending: none,
			PingsPerMinute: none, ReplaysPerMinute: none,
		}
	}
}

// quotaError checks that err is a QuotaError of a tenant, and returns it.
func quotaError(
	t *testing.T,
	what string,
	err error,
	tenant string,
	kind dispatcher.QuotaKind,
	limit int,
) *dispatcher.QuotaError {
	t.Helper()
	var q *dispatcher.QuotaError
	if !errors.As(err, &q) {
		t.Fatalf("%s: got error %v, want a QuotaError", what, err)
	}
	if q.Tenant != tenant || q.Kind != kind || q.Limit != limit || q.RetryAfter <= 0 {
		t.Errorf("%s: got %+v, want one of %q: %s, %d", what, q, tenant, kind, limit)
	}
	if text := q.Error(); !strings.Contains(text, fmt.Sprint(limit)) ||
		!strings.Contains(text, tenant) {
		t.Errorf("%s: the error is %q; want it to name the tenant and the limit", what, text)
	}
	return q
}

func (e *engine) subscribeFor(tenant, url string) store.Subscription {
	e.t.Helper()
	sub, err := e.Subscribe(e.t.Context(), store.Subscription{Tenant: tenant, URL: url})
	if err != nil {
		e.t.Fatal(err)
	}
	return sub
}

func (e *engine) publishFor(tenant string, n int) error {
	e.t.Helper()
	evs := make([]events.Event, n)
	for i := range evs {
		var err error
		if evs[i], err = events.New("order.created", i); err != nil {
			e.t.Fatal(err)
		}
		evs[i].Tenant = tenant
	}
	return e.Publish(e.t.Context(), evs...)
}

func TestQuotaOfSubscriptions(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Quota: quotas(dispatcher.Quota{Subscriptions: 2})})
		first, second := e.subscribeFor("small", nthURL(1)), e.subscribeFor("small", nthURL(2))
		one := store.Subscription{Tenant: "small", URL: nthURL(3)}
		_, err := e.Subscribe(t.Context(), one)
		quotaError(t, "a third", err, "small", dispatcher.QuotaSubscriptions, 2)
		one.ID = "3e639566-29fa-450d-a59f-ae3c25d7260f"
		_, err = e.Subscribe(t.Context(), one)
		quotaError(
			t,
			"a third under an ID of its own",
			err,
			"small",
			dispatcher.QuotaSubscriptions,
			2,
		)
		if _, err := e.Unsubscribe(t.Context(), first.ID); err != nil {
			t.Fatal(err)
		}
		_, err = e.Subscribe(t.Context(), one)
		quotaError(
			t,
			"a third when one is unsubscribed",
			err,
			"small",
			dispatcher.QuotaSubscriptions,
			2,
		)
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
		e := newEngine(
			t,
			s,
			&dispatcher.Options{Quota: quotas(dispatcher.Quota{Subscriptions: limit})},
		)
		var calls sync.WaitGroup
		for range together {
			calls.Go(func() {
				for range rounds {
					_, _ = e.Subscribe(
						t.Context(),
						store.Subscription{Tenant: "small", URL: nthURL(1)},
					)
				}
			})
		}
		calls.Wait()
		page, err := e.Subscriptions(t.Context(), store.SubscriptionQuery{Tenant: "small"})
		if err != nil || page.Total < limit || page.Total > limit+together-1 {
			t.Errorf(
				"%d subscriptions, %v; want %d, and fewer than %d more",
				page.Total,
				err,
				limit,
				together,
			)
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
			"url":     func(s *store.Subscription) { s.URL += "x" },
			"name":    func(s *store.Subscription) { s.Name += "x" },
			"events":  func(s *store.Subscription) { s.Events = append(s.Events, "c") },
			"headers": func(s *store.Subscription) { s.Headers["X"] = "" },
			"keys":    func(s *store.Subscription) { s.Secrets = append(s.Secrets, "another-key-of-them") },
		} {
			larger := sub.Clone()
			grow(&larger)
			_, err := e.Subscribe(t.Context(), larger)
			quotaError(
				t,
				"subscribe with more "+what,
				err,
				"",
				dispatcher.QuotaSubscriptionBytes,
				limit,
			)
			larger.ID = made.ID
			_, err = e.Subscribe(t.Context(), larger)
			quotaError(
				t,
				"replace with more "+what,
				err,
				"",
				dispatcher.QuotaSubscriptionBytes,
				limit,
			)
			_, err = e.Update(
				t.Context(),
				made.ID,
				func(s *store.Subscription) error { grow(s); return nil },
			)
			quotaError(t, "update to more "+what, err, "", dispatcher.QuotaSubscriptionBytes, limit)
		}
		_, err = e.RotateSecret(t.Context(), made.ID, "another-key-of-them", time.Hour)
		quotaError(t, "rotate", err, "", dispatcher.QuotaSubscriptionBytes, limit)
		limit = 100 // what there was stays, and may become smaller
		got, err := e.Update(
			t.Context(),
			made.ID,
			func(s *store.Subscription) error { s.Name = "n"; return nil },
		)
		if err != nil || got.Name != "n" {
			t.Errorf("an update to less, though more than the quota: %+v, %v", got, err)
		}
		if _, err := e.Unsubscribe(t.Context(), made.ID); err != nil {
			t.Errorf("unsubscribe: %v", err)
		}
	})
}

func TestQuotaOfPending(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Quota: quotas(dispatcher.Quota{Pending: 5})})
		e.subscribeFor("small", nthURL(1))
		e.subscribeFor("small", nthURL(2))
		e.subscribeFor("other", nthURL(3))
		for i := range 3 { // two deliveries each: before the last one there are 4
			if err := e.publishFor("small", 1); err != nil {
				t.Fatalf("event %d: %v", i+1, err)
			}
		}
		quotaError(t, "a fourth", e.publishFor("small", 1), "small", dispatcher.QuotaPending, 5)
		if err := e.publishFor("other", 20); err != nil {
			t.Errorf("another tenant's: %v", err)
		}
		mixed := make([]events.Event, 2)
		for i, tenant := range []string{"other", "small"} {
			mixed[i], _ = events.New("order.mixed", i)
			mixed[i].Tenant = tenant
		}
		quotaError(
			t,
			"one of each",
			e.Publish(t.Context(), mixed...),
			"small",
			dispatcher.QuotaPending,
			5,
		)
		if n := e.states()[store.Pending]; n != 26 {
			t.Errorf("%d deliveries are pending, want 26: what was refused is not stored", n)
		}
		e.run()
		pass(time.Second)
		if err := e.publishFor("small", 1); err != nil {
			t.Errorf("once all is delivered: %v", err)
		}
	})
}

// TestQuotaOfPendingByDefault shows that there is none, and that Publish asks the store for nothing
// then.
func TestQuotaOfPendingByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &pendingCounter{Store: memstore.New()}
		e := newEngine(t, s, nil)
		e.subscribe(nthURL(1))
		for range 50 {
			if err := e.publishFor("", 100); err != nil {
				t.Fatal(err)
			}
		}
		if s.counted != 0 {
			t.Errorf(
				"Publish counted what is pending %d times, want never without a quota",
				s.counted,
			)
		}
	})
}

type pendingCounter struct {
	store.Store
	counted int
}

func (s *pendingCounter) CountPending(ctx context.Context, tenant string, limit int) (int, error) {
	s.counted++
	return s.Store.CountPending(ctx, tenant, limit)
}

// TestQuotaPanics shows that an Options.Quota that panics makes its call fail and nothing else.
func TestQuotaPanics(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Quota: func(tenant string) dispatcher.Quota {
			if tenant == "bad" {
				panic("the Quota panics")
			}
			return dispatcher.Quota{}
		}})
		bad := store.Subscription{Tenant: "bad", URL: nthURL(1)}
		_, err := e.Subscribe(t.Context(), bad)
		if err == nil || !strings.Contains(err.Error(), "Options.Quota") {
			t.Errorf("Subscribe: %v, want an error that names Options.Quota", err)
		}
		if err := e.publishFor("bad", 1); err == nil ||
			!strings.Contains(err.Error(), "Options.Quota") {
			t.Errorf("Publish: %v, want an error that names Options.Quota", err)
		}
		if _, err := e.Replay(t.Context(), store.DeliveryQuery{Tenant: "bad"}); err == nil {
			t.Error("Replay succeeded, want an error")
		}
		e.subscribeFor("good", nthURL(2))
		if err := e.publishFor("good", 1); err != nil {
			t.Error(err)
		}
		e.run()
		pass(time.Second)
		if n := e.states(); n[store.Delivered] != 1 || len(e.deliveries()) != 1 {
			t.Errorf("states are %v, want one delivered", n)
		}
	})
}

// TestQuotaBlocks has an Options.Quota that does not return for one tenant: another tenant's calls
// and deliveries go on.
func TestQuotaBlocks(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		blocks, release := false, make(chan struct{})
		e := newEngine(t, s, &dispatcher.Options{Quota: func(tenant string) dispatcher.Quota {
			if tenant == "bad" && blocks {
				<-release
			}
			return dispatcher.Quota{}
		}})
		bad, good := e.subscribeFor("bad", nthURL(1)), e.subscribeFor("good", nthURL(2))
		if err := e.publishFor("bad", 1); err != nil {
			t.Fatal(err)
		}
		one := e.deliveries()[0].EventID
		blocks = true
		var calls sync.WaitGroup
		for _, call := range []func(){
			func() {
				_, _ = e.Subscribe(t.Context(), store.Subscription{Tenant: "bad", URL: nthURL(1)})
			},
			func() {
				_, _ = e.Update(t.Context(), bad.ID, func(*store.Subscription) error { return nil })
			},
			func() { _ = e.publishFor("bad", 1) },
			func() { _, _ = e.Ping(t.Context(), bad.ID) },
			func() { _ = e.Redeliver(t.Context(), bad.ID, one) },
			func() { _, _ = e.Replay(t.Context(), store.DeliveryQuery{Tenant: "bad"}) },
		} {
			calls.Go(call)
		}
		e.run()
		settle()
		start := time.Now()
		if err := e.publishFor("good", 1); err != nil {
			t.Error(err)
		}
		_, err := e.Update(t.Context(), good.ID, func(s *store.Subscription) error {
			s.Name = "n"
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if a, err := e.Ping(t.Context(), good.ID); err != nil || a.Status != 200 {
			t.Errorf("Ping: %+v, %v", a, err)
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("the other tenant's calls took %v, want them not to wait", d)
		}
		settle()
		if n := e.states(); n[store.Delivered] != 2 {
			t.Errorf("states are %v, want both delivered", n)
		}
		close(release)
		calls.Wait()
	})
}
