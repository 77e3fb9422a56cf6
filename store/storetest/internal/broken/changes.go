package broken

import (
	"context"
	"slices"
	"sync"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// ClaimsWith returns a Claim that changes each claim.
func ClaimsWith(
	b *Store, change func(*store.Claim),
) func(context.Context, store.ClaimRequest) (store.ClaimResult, error) {
	return func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
		claims, err := b.Store.Claim(ctx, req)
		for i := range claims.Claims {
			change(&claims.Claims[i])
		}
		return claims, err
	}
}

// RequestWith returns a Claim that changes the request.
func RequestWith(
	b *Store, change func(*store.ClaimRequest),
) func(context.Context, store.ClaimRequest) (store.ClaimResult, error) {
	return func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
		change(&req)
		return b.Store.Claim(ctx, req)
	}
}

// EventsWith returns an Enqueue that changes each event.
func EventsWith(b *Store, change func(*events.Event)) func(context.Context,
	...events.Event) error {
	return func(ctx context.Context, evs ...events.Event) error {
		evs = slices.Clone(evs)
		for i := range evs {
			change(&evs[i])
		}
		return b.Store.Enqueue(ctx, evs...)
	}
}

// OutcomesWith returns a Finish that changes each outcome.
func OutcomesWith(
	b *Store, change func(*store.Outcome),
) func(context.Context, ...store.Outcome) ([]store.Result, error) {
	return func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
		outcomes = slices.Clone(outcomes)
		for i := range outcomes {
			change(&outcomes[i])
		}
		return b.Store.Finish(ctx, outcomes...)
	}
}

// ResultsWith returns a Finish that changes each result.
func ResultsWith(
	b *Store, change func(store.Outcome, *store.Result),
) func(context.Context, ...store.Outcome) ([]store.Result, error) {
	return func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
		results, err := b.Store.Finish(ctx, outcomes...)
		for i := range results {
			change(outcomes[i], &results[i])
		}
		return results, err
	}
}

// Tokens knows the present token of each delivery that was claimed.
type Tokens struct {
	mu      sync.Mutex // guards present
	present map[[2]string]uint64
}

// Watch learns the tokens of what b claims.
func (tk *Tokens) Watch(b *Store) {
	tk.present = make(map[[2]string]uint64)
	b.OnClaim = ClaimsWith(b, func(cl *store.Claim) {
		tk.mu.Lock()
		defer tk.mu.Unlock()
		tk.present[[2]string{cl.SubscriptionID, cl.EventID}] = cl.Token
	})
}

// Of returns the present token of a delivery.
func (tk *Tokens) Of(l store.Lease) uint64 {
	tk.mu.Lock()
	defer tk.mu.Unlock()
	return tk.present[[2]string{l.SubscriptionID, l.EventID}]
}

// Forget makes a lease that was given back late.
func (tk *Tokens) Forget(l store.Lease) {
	tk.mu.Lock()
	defer tk.mu.Unlock()
	delete(tk.present, [2]string{l.SubscriptionID, l.EventID})
}

// Leases returns the present leases of a subscription.
func (tk *Tokens) Leases(subscriptionID string) (leases []store.Lease) {
	tk.mu.Lock()
	defer tk.mu.Unlock()
	for delivery, token := range tk.present {
		if delivery[0] == subscriptionID {
			l := store.Lease{SubscriptionID: delivery[0], EventID: delivery[1], Token: token}
			leases = append(leases, l)
		}
	}
	return leases
}

// StatsWith returns a Stats that changes the figures.
func StatsWith(b *Store, change func(id string, stats *store.Stats)) func(context.Context,
	string) (store.Stats, error) {
	return func(ctx context.Context, id string) (store.Stats, error) {
		stats, err := b.Store.Stats(ctx, id)
		change(id, &stats)
		return stats, err
	}
}
