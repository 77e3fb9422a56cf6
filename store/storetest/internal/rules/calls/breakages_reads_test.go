package calls_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
	"github.com/outhook/outhook/store/storetest/internal/check"
	"github.com/outhook/outhook/store/storetest/internal/rules/calls"
)

func readsBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "reads an old subscription", Rule: "reads/subscription",
			Spoil: func(b *broken.Store) {
				cacheSubscription(b, false)
			}},
		{Name: "reads a deleted subscription", Rule: "reads/deleted",
			Spoil: func(b *broken.Store) {
				cacheSubscription(b, false)
			}},
		{Name: "lists old subscriptions", Rule: "reads/subscription",
			Spoil: func(b *broken.Store) {
				b.OnSubscriptions = cached(b.Store.Subscriptions)
			}},
		{Name: "claims with an old subscription", Rule: "reads/subscription",
			Spoil: func(b *broken.Store) {
				known := make(map[string]*store.Subscription)
				b.OnClaim = broken.ClaimsWith(b, func(cl *store.Claim) {
					if old, ok := known[cl.SubscriptionID]; ok {
						cl.Subscription = old
					}
					known[cl.SubscriptionID] = cl.Subscription
				})
			}},
		{Name: "reads old figures", Rule: "reads/delivery",
			Spoil: func(b *broken.Store) {
				b.OnStats = cached(b.Store.Stats)
			}},
		{Name: "reads old attempts", Rule: "reads/delivery",
			Spoil: func(b *broken.Store) {
				get := cached(func(ctx context.Context, d [2]string) ([]store.Attempt, error) {
					return b.Store.Attempts(ctx, d[0], d[1])
				})
				b.OnAttempts = func(ctx context.Context, subscriptionID,
					eventID string) ([]store.Attempt,
					error) {
					return get(ctx, [2]string{subscriptionID, eventID})
				}
			}},
		{Name: "lists old deliveries", Rule: "reads/delivery",
			Spoil: func(b *broken.Store) {
				queries := make(map[string]store.DeliveryQuery)
				get := cached(func(ctx context.Context, q string) (store.Page[store.Delivery],
					error) {
					return b.Store.Deliveries(ctx, queries[q])
				})
				b.OnDeliveries = func(ctx context.Context,
					q store.DeliveryQuery) (store.Page[store.Delivery], error) {
					text := fmt.Sprintf("%+v", q)
					queries[text] = q
					return get(ctx, text)
				}
			}},
		{Name: "answers from a cache after Close", Rule: "calls/closed",
			Spoil: func(b *broken.Store) {
				cacheSubscription(b, true)
			}},
		{Name: "answers from a cache when the context has ended", Rule: "calls/ended-context",
			Spoil: func(b *broken.Store) {
				cacheSubscription(b, true)
			}},
		{Name: "takes nothing to do after Close", Rule: "calls/closed",
			Spoil: func(b *broken.Store) {
				b.OnFinish = func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result,
					error) {
					if len(outcomes) == 0 {
						return nil, nil
					}
					return b.Store.Finish(ctx, outcomes...)
				}
			}},
		{Name: "returns another error when the context has ended", Rule: "calls/ended-context",
			Spoil: func(b *broken.Store) {
				b.OnRelease = func(ctx context.Context, leases ...store.Lease) error {
					if ctx.Err() != nil {
						return context.Canceled
					}
					return b.Store.Release(ctx, leases...)
				}
			}},
	}
}

// cached returns a function that answers from a cache what was asked before, and never looks
// whether it is still so.
func cached[K, V any](get func(context.Context, K) (V, error)) func(context.Context, K) (V, error) {
	var mu sync.Mutex // guards known
	known := make(map[string]V)
	return func(ctx context.Context, asked K) (V, error) {
		mu.Lock()
		defer mu.Unlock()
		key := fmt.Sprintf("%+v", asked)
		if v, ok := known[key]; ok {
			return v, nil
		}
		v, err := get(ctx, asked)
		if err == nil {
			known[key] = v
		}
		return v, err
	}
}

// cacheSubscription makes Subscription answer from a cache, which an update or a deletion empties
// when it is a good one.
func cacheSubscription(b *broken.Store, good bool) {
	fill := func() { b.OnSubscription = cached(b.Store.Subscription) }
	fill()
	if !good {
		return
	}
	b.OnUpdate = func(ctx context.Context, id string,
		change func(*store.Subscription) error) (store.Subscription, error) {
		defer fill()
		return b.Store.UpdateSubscription(ctx, id, change)
	}
	b.OnDelete = func(ctx context.Context, id string) error {
		defer fill()
		return b.Store.DeleteSubscription(ctx, id)
	}
}

// cacheReads makes every method that reads answer from a cache, which every method that writes
// empties but one: Close and the end of a context are not looked at.
func cacheReads(b *broken.Store, except string) {
	s := b.Store
	fill := func() {
		b.OnSubscription, b.OnSubscriptions, b.OnStats = cached(s.Subscription),
			cached(s.Subscriptions),
			cached(s.Stats)
		attempts := cached(func(ctx context.Context, d [2]string) ([]store.Attempt, error) {
			return s.Attempts(ctx, d[0], d[1])
		})
		b.OnAttempts = func(ctx context.Context, subscriptionID, eventID string) ([]store.Attempt,
			error) {
			return attempts(ctx, [2]string{subscriptionID, eventID})
		}
		queries := make(map[string]store.DeliveryQuery)
		deliveries := cached(func(ctx context.Context, q string) (store.Page[store.Delivery],
			error) {
			return s.Deliveries(ctx, queries[q])
		})
		b.OnDeliveries = func(ctx context.Context,
			q store.DeliveryQuery) (store.Page[store.Delivery],
			error) {
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
	b.OnCreate = func(ctx context.Context, sub store.Subscription) (store.Subscription, error) {
		defer wrote("CreateSubscription")
		return s.CreateSubscription(ctx, sub)
	}
	b.OnUpdate = func(ctx context.Context, id string,
		change func(*store.Subscription) error) (store.Subscription, error) {
		defer wrote("UpdateSubscription")
		return s.UpdateSubscription(ctx, id, change)
	}
	b.OnDelete = func(ctx context.Context, id string) error {
		defer wrote("DeleteSubscription")
		return s.DeleteSubscription(ctx, id)
	}
	b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
		defer wrote("Enqueue")
		return s.Enqueue(ctx, evs...)
	}
	b.OnClaim = func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
		defer wrote("Claim")
		return s.Claim(ctx, req)
	}
	b.OnFinish = func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
		defer wrote("Finish")
		return s.Finish(ctx, outcomes...)
	}
	b.OnRelease = func(ctx context.Context, leases ...store.Lease) error {
		defer wrote("Release")
		return s.Release(ctx, leases...)
	}
	b.OnRequeue = func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
		defer wrote("Requeue")
		return s.Requeue(ctx, q)
	}
	b.OnProbeNow = func(ctx context.Context, ids ...string) error {
		defer wrote("ProbeNow")
		return s.ProbeNow(ctx, ids...)
	}
	b.OnErase = func(ctx context.Context, q store.EraseQuery) (int, string, error) {
		defer wrote("Erase")
		return s.Erase(ctx, q)
	}
	b.OnPrune = func(ctx context.Context, r store.Retention) (bool, error) {
		defer wrote("Prune")
		return s.Prune(ctx, r)
	}
}

// TestCachesAreCaught has a cache for all that is read, which one method does not empty. A cache
// that every method empties violates nothing but the rules about Close and contexts.
func TestCachesAreCaught(t *testing.T) {
	rules := map[string]string{
		"CreateSubscription": "reads/deleted", "UpdateSubscription": "reads/subscription",
		"DeleteSubscription": "reads/deleted",
		"Enqueue":            "reads/delivery", "Claim": "reads/delivery",
		"Finish":  "reads/delivery",
		"Release": "reads/delivery",
		"Requeue": "reads/delivery", "ProbeNow": "reads/delivery", "Erase": "reads/delivery",
		"Prune": "reads/delivery",
	}
	violations := func(rule, except string) []string {
		breakage := broken.Breakage{Spoil: func(b *broken.Store) { cacheReads(b, except) }}
		r, found := check.Find(calls.Groups(), rule)
		if !found {
			t.Fatalf("there is no rule %s", rule)
		}
		return breakage.Setup().Violations(t, r)
	}
	for method, rule := range rules {
		if len(violations(rule, method)) == 0 {
			t.Errorf("a cache that %s does not empty, rule %s: got no violation, want one", method,
				rule)
		}
		if got := violations(rule, ""); len(got) > 0 {
			t.Errorf("a cache that is emptied by all, rule %s: got %q, want no violation", rule,
				got)
		}
	}
	// each call that reads
	for rule, least := range map[string]int{"calls/closed": 9, "calls/ended-context": 18} {
		if got := violations(rule, ""); len(got) < least {
			t.Errorf("rule %s: got %d violations, want %d at least:\n%s", rule, len(got), least,
				got)
		}
	}
}
