package dispatcher_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
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
func quotaError(t *testing.T, what string, err error, tenant string, kind dispatcher.QuotaKind,
	limit int) *dispatcher.QuotaError {
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
