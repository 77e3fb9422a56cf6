package dispatcher_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

func TestQuotaOfReplays(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		quota := func(string) dispatcher.Quota { return dispatcher.Quota{ReplaysPerMinute: 3} }
		e := newEngine(t, s, &dispatcher.Options{Quota: quota})
		sub := e.subscribeFor("small", nthURL(1))
		if err := e.publishFor("small", 700); err != nil { // more than one step of a replay
			t.Fatal(err)
		}
		e.run()
		pass(time.Minute)
		q := store.DeliveryQuery{Tenant: "small"}
		one := e.deliveries()[0].EventID
		if n, err := e.Replay(t.Context(), q); n != 700 || err != nil {
			t.Errorf("the first replay: %d, %v; want 700", n, err)
		}
		for range 2 {
			if err := e.Redeliver(t.Context(), sub.ID, one); err != nil {
				t.Error(err)
			}
		}
		n, err := e.Replay(t.Context(), q)
		first := quotaError(t, "a fourth", err, "small", dispatcher.QuotaReplays, 3)
		if n != 0 || first.RetryAfter > 20*time.Second {
			t.Errorf("a fourth: %d replayed, again after %v; want none, and at most 20 s", n,
				first.RetryAfter)
		}
		quotaError(t, "a redelivery", e.Redeliver(t.Context(), sub.ID, one), "small",
			dispatcher.QuotaReplays, 3)
		if err := e.Redeliver(t.Context(), sub.ID, "unknown"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("redelivery of an unknown event: %v, want ErrNotFound", err)
		}
		q.Tenant, q.AnyTenant = "", true
		for range 4 { // more than one of the tenant "" alone could have
			if _, err := e.Replay(t.Context(), q); err != nil {
				t.Errorf("the host's own replay: %v", err)
			}
		}
		pass(first.RetryAfter)
		if err := e.Redeliver(t.Context(), sub.ID, one); err != nil {
			t.Errorf("after %v: %v", first.RetryAfter, err)
		}
		quotaError(t, "the next", e.Redeliver(t.Context(), sub.ID, one), "small",
			dispatcher.QuotaReplays, 3)
	})
}

// TestQuotaOfPings has a tenant ping as often as it may.
func TestQuotaOfPings(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s,
			&dispatcher.Options{Quota: quotas(dispatcher.Quota{PingsPerMinute: 6})})
		subs := []store.Subscription{
			e.subscribeFor("small", nthURL(0)),
			e.subscribeFor("small", nthURL(1)),
		}
		other := e.subscribeFor("other", nthURL(2))
		start, sent := time.Now(), 0
		for time.Since(start) < 10*time.Minute {
			_, err := e.Ping(t.Context(), subs[sent%2].ID)
			if err == nil {
				sent++
				continue
			}
			again := quotaError(t, "a ping", err, "small", dispatcher.QuotaPings, 6).RetryAfter
			if again > 10*time.Second {
				t.Fatalf("a ping is allowed again after %v, want 10 s at most", again)
			}
			if _, err := e.Ping(t.Context(), other.ID); err != nil {
				t.Errorf("another tenant's: %v", err)
			}
			pass(again)
		}
		if sent < 60 || sent > 66 {
			t.Errorf("%d pings in ten minutes, want 6 a minute and 6 at once", sent)
		}
	})
}

// TestPingsOfAWebhook shows that one subscription gets one ping a second on average, and no more
// than a few at once, whatever the tenant's quota is, and that refused ones cost nothing of it.
func TestPingsOfAWebhook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, memstore.New(),
			&dispatcher.Options{Quota: quotas(dispatcher.Quota{PingsPerMinute: 100})})
		for _, tenant := range []string{"small", "other"} {
			sub, next := e.subscribeFor(tenant, nthURL(1)), e.subscribeFor(tenant, nthURL(2))
			const burst = 5
			for range burst {
				if _, err := e.Ping(t.Context(), sub.ID); err != nil {
					t.Fatal(err)
				}
			}
			for range 200 {
				_, err := e.Ping(t.Context(), sub.ID)
				q := quotaError(t, "one more", err, tenant, dispatcher.QuotaSubscriptionPings, 60)
				if q.RetryAfter > time.Second {
					t.Fatalf("allowed again after %v, want a second at most", q.RetryAfter)
				}
			}
			if _, err := e.Ping(t.Context(), next.ID); err != nil {
				t.Errorf("another webhook's: %v", err)
			}
			n := 0
			for range 1000 {
				pass(100 * time.Millisecond)
				if _, err := e.Ping(t.Context(), sub.ID); err == nil {
					n++
				}
			}
			if n < 99 || n > 101 {
				t.Errorf("%d pings in 100 s, want one a second", n)
			}
			if _, err := e.Ping(t.Context(), next.ID); err != nil {
				t.Errorf("another webhook's at the end: %v", err)
			}
		}
	})
}

// TestPingsAreSeen shows that an operator sees who pings.
func TestPingsAreSeen(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var told []dispatcher.Info
		e := newEngine(t, s, &dispatcher.Options{Observer: &dispatcher.Observer{
			OnPing: func(i dispatcher.Info) { told = append(told, i) },
		}})
		good, bad := e.subscribeFor("a", nthURL(1)), e.subscribeFor("b", nthURL(2))
		e.answers(func(r request) reply {
			if r.URL == nthURL(2) {
				return reply{Status: 500}
			}
			return reply{Status: 200}
		})
		for _, sub := range []store.Subscription{good, bad} {
			if _, err := e.Ping(t.Context(), sub.ID); err != nil {
				t.Fatal(err)
			}
		}
		if len(told) != 2 {
			t.Fatalf("OnPing was called %d times, want 2", len(told))
		}
		for i, want := range []struct {
			sub    store.Subscription
			status int
		}{{good, 200}, {bad, 500}} {
			got := told[i]
			if got.Tenant != want.sub.Tenant || got.Subscription.ID != want.sub.ID ||
				got.Attempt.Status != want.status ||
				(got.Attempt.Error == "") != (want.status == 200) ||
				got.EventType != dispatcher.TypePing ||
				got.State != "" {
				t.Errorf("OnPing: got %+v, want %s of %s, answered by %d", got, want.sub.ID,
					want.sub.Tenant, want.status)
			}
		}
		if stats, err := e.Stats(t.Context()); err != nil || stats.Pings != 2 ||
			stats.Attempts != 0 {
			t.Errorf("Stats: %d pings, %d attempts, %v; want 2 and none", stats.Pings,
				stats.Attempts, err)
		}
	})
}
