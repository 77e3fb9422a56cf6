package storetest_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest"
)

// cached returns a function that answers from a cache what was asked before, and never looks whether it is still so.
func cached[K comparable, V any](get func(context.Context, K) (V, error)) func(context.Context, K) (V, error) {
	var mu sync.Mutex // guards known
	known := make(map[K]V)
	return func(ctx context.Context, key K) (V, error) {
		mu.Lock()
		defer mu.Unlock()
		if v, ok := known[key]; ok {
			return v, nil
		}
		v, err := get(ctx, key)
		if err == nil {
			known[key] = v
		}
		return v, err
	}
}

// cacheSubscription makes Subscription answer from a cache, which an update or a deletion empties when it is a good one.
func cacheSubscription(b *broken, good bool) {
	fill := func() { b.subscription = cached(b.Store.Subscription) }
	fill()
	if !good {
		return
	}
	b.update = func(ctx context.Context, id string, change func(*store.Subscription) error) (store.Subscription, error) {
		defer fill()
		return b.Store.UpdateSubscription(ctx, id, change)
	}
	b.deleteSub = func(ctx context.Context, id string) error {
		defer fill()
		return b.Store.DeleteSubscription(ctx, id)
	}
}

// cacheReads makes every method that reads answer from a cache, which every method that writes empties
// but one: Close and the end of a context are not looked at.
func cacheReads(b *broken, except string) {
	s := b.Store
	fill := func() {
		b.subscription, b.subscriptions, b.stats = cached(s.Subscription), cached(s.Subscriptions), cached(s.Stats)
		attempts := cached(func(ctx context.Context, d [2]string) ([]store.Attempt, error) {
			return s.Attempts(ctx, d[0], d[1])
		})
		b.attempts = func(ctx context.Context, subscriptionID, eventID string) ([]store.Attempt, error) {
			return attempts(ctx, [2]string{subscriptionID, eventID})
		}
		queries := make(map[string]store.DeliveryQuery)
		deliveries := cached(func(ctx context.Context, q string) (store.Page[store.Delivery], error) {
			return s.Deliveries(ctx, queries[q])
		})
		b.deliveries = func(ctx context.Context, q store.DeliveryQuery) (store.Page[store.Delivery], error) {
			text := fmt.Sprintf("%+v", q)
			queries[text] = q
			return deliveries(ctx, text)
		}
	}
	wrote := func(method string) {
		if method != except {
			fill()
		}
	}
	fill()
	b.create = func(ctx context.Context, sub store.Subscription) (store.Subscription, error) {
		defer wrote("CreateSubscription")
		return s.CreateSubscription(ctx, sub)
	}
	b.update = func(ctx context.Context, id string, change func(*store.Subscription) error) (store.Subscription, error) {
		defer wrote("UpdateSubscription")
		return s.UpdateSubscription(ctx, id, change)
	}
	b.deleteSub = func(ctx context.Context, id string) error {
		defer wrote("DeleteSubscription")
		return s.DeleteSubscription(ctx, id)
	}
	b.enqueue = func(ctx context.Context, evs ...events.Event) error {
		defer wrote("Enqueue")
		return s.Enqueue(ctx, evs...)
	}
	b.claim = func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
		defer wrote("Claim")
		return s.Claim(ctx, req)
	}
	b.finish = func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
		defer wrote("Finish")
		return s.Finish(ctx, outcomes...)
	}
	b.release = func(ctx context.Context, leases ...store.Lease) error {
		defer wrote("Release")
		return s.Release(ctx, leases...)
	}
	b.requeue = func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
		defer wrote("Requeue")
		return s.Requeue(ctx, q)
	}
	b.probeNow = func(ctx context.Context, ids ...string) error {
		defer wrote("ProbeNow")
		return s.ProbeNow(ctx, ids...)
	}
	b.erase = func(ctx context.Context, q store.EraseQuery) (int, string, error) {
		defer wrote("Erase")
		return s.Erase(ctx, q)
	}
	b.prune = func(ctx context.Context, r store.Retention) (bool, error) {
		defer wrote("Prune")
		return s.Prune(ctx, r)
	}
}

// TestCachesAreCaught has a cache for all that is read, which one method does not empty. A cache that
// every method empties violates nothing but the rules about Close and contexts.
func TestCachesAreCaught(t *testing.T) {
	rules := map[string]string{
		"CreateSubscription": "reads/deleted", "UpdateSubscription": "reads/subscription", "DeleteSubscription": "reads/deleted",
		"Enqueue": "reads/delivery", "Claim": "reads/delivery", "Finish": "reads/delivery", "Release": "reads/delivery",
		"Requeue": "reads/delivery", "ProbeNow": "reads/delivery", "Erase": "reads/delivery", "Prune": "reads/delivery",
	}
	violations := func(rule, except string) []string {
		violated, _ := storetest.Suite{Open: func(*testing.T) store.Store {
			b := newBroken()
			cacheReads(b, except)
			return b
		}}.Violations(t, rule)
		return violated
	}
	for method, rule := range rules {
		if len(violations(rule, method)) == 0 {
			t.Errorf("a cache that %s does not empty, rule %s: got no violation, want one", method, rule)
		}
		if got := violations(rule, ""); len(got) > 0 {
			t.Errorf("a cache that is emptied by all, rule %s: got %q, want no violation", rule, got)
		}
	}
	for rule, least := range map[string]int{"calls/closed": 9, "calls/ended-context": 18} { // each call that reads
		if got := violations(rule, ""); len(got) < least {
			t.Errorf("rule %s: got %d violations, want %d at least:\n%s", rule, len(got), least, got)
		}
	}
}

func readBreakages() []breakage {
	return []breakage{
		{"reads an old subscription", "reads/subscription", func(b *broken) { cacheSubscription(b, false) }},
		{"reads a deleted subscription", "reads/deleted", func(b *broken) { cacheSubscription(b, false) }},
		{"lists old subscriptions", "reads/subscription", func(b *broken) {
			b.subscriptions = cached(b.Store.Subscriptions)
		}},
		{"claims with an old subscription", "reads/subscription", func(b *broken) {
			known := make(map[string]store.Subscription)
			b.claim = claimsWith(b, func(cl *store.Claim) {
				if old, ok := known[cl.SubscriptionID]; ok {
					cl.Subscription = old
				}
				known[cl.SubscriptionID] = cl.Subscription
			})
		}},
		{"reads old figures", "reads/delivery", func(b *broken) { b.stats = cached(b.Store.Stats) }},
		{"reads old attempts", "reads/delivery", func(b *broken) {
			get := cached(func(ctx context.Context, d [2]string) ([]store.Attempt, error) {
				return b.Store.Attempts(ctx, d[0], d[1])
			})
			b.attempts = func(ctx context.Context, subscriptionID, eventID string) ([]store.Attempt, error) {
				return get(ctx, [2]string{subscriptionID, eventID})
			}
		}},
		{"lists old deliveries", "reads/delivery", func(b *broken) {
			queries := make(map[string]store.DeliveryQuery)
			get := cached(func(ctx context.Context, q string) (store.Page[store.Delivery], error) {
				return b.Store.Deliveries(ctx, queries[q])
			})
			b.deliveries = func(ctx context.Context, q store.DeliveryQuery) (store.Page[store.Delivery], error) {
				text := fmt.Sprintf("%+v", q)
				queries[text] = q
				return get(ctx, text)
			}
		}},
		{"answers from a cache after Close", "calls/closed", func(b *broken) { cacheSubscription(b, true) }},
		{"answers from a cache when the context has ended", "calls/ended-context", func(b *broken) { cacheSubscription(b, true) }},
		{"takes nothing to do after Close", "calls/closed", func(b *broken) {
			b.finish = func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
				if len(outcomes) == 0 {
					return nil, nil
				}
				return b.Store.Finish(ctx, outcomes...)
			}
		}},
		{"returns another error when the context has ended", "calls/ended-context", func(b *broken) {
			b.release = func(ctx context.Context, leases ...store.Lease) error {
				if ctx.Err() != nil {
					return context.Canceled
				}
				return b.Store.Release(ctx, leases...)
			}
		}},
		{"forgets what stands behind two that end at once", "liveness/keys", forgetBehind},
	}
}

// forgetBehind makes b claim nothing more of a key once two deliveries of it have ended in one Finish.
func forgetBehind(b *broken) {
	keys := make(map[store.Lease]string) // of claims
	forgotten := make(map[string]bool)   // subscriptions and keys
	name := func(l store.Lease, key string) string { return l.SubscriptionID + key }
	b.claim = func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
		claims, err := b.Store.Claim(ctx, req)
		var kept []store.Claim
		for _, cl := range claims.Claims {
			keys[cl.Lease] = cl.Key
			if cl.Key != "" && forgotten[name(cl.Lease, cl.Key)] {
				_ = b.Store.Release(ctx, cl.Lease)
				continue
			}
			kept = append(kept, cl)
		}
		claims.Claims = kept
		return claims, err
	}
	b.finish = func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
		results, err := b.Store.Finish(ctx, outcomes...)
		ended := make(map[string]int)
		for i, o := range outcomes {
			key := keys[o.Lease]
			if err != nil || key == "" || results[i].Ignored || o.State == store.Pending {
				continue
			}
			if ended[name(o.Lease, key)]++; ended[name(o.Lease, key)] > 1 {
				forgotten[name(o.Lease, key)] = true
			}
		}
		return results, err
	}
}
