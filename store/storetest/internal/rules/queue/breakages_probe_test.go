package queue_test

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

// probeBreakages are of what is claimed while a breaker is open, when, and what is due when it
// closes.
func probeBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "probes with the oldest", Rule: "probe/newest",
			Spoil: func(b *broken.Store) { b.OnClaim = probesWith(b, byNumber) }},
		{Name: "probes with the newest, tried or not", Rule: "probe/newest",
			Spoil: func(b *broken.Store) {
				b.OnClaim = probesWith(b, func(a, c store.Claim) int { return byNumber(c, a) })
			}},
		{Name: "probes with what was tried most", Rule: "probe/fewest",
			Spoil: func(b *broken.Store) {
				b.OnClaim = probesWith(b, func(a, c store.Claim) int {
					if a.Attempt == 1 || c.Attempt == 1 {
						return byTried(a, c)
					}
					return byTried(c, a)
				})
			}},
		{Name: "does not probe with what was asked for", Rule: "probe/asked",
			Spoil: func(b *broken.Store) { b.OnClaim = probesWith(b, byTried) }},
		{Name: "probes past a key", Rule: "probe/keys",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = broken.EventsWith(b, func(ev *events.Event) { ev.Key = "" })
			}},
		{Name: "claims as many as ever while the breaker is open", Rule: "probe/one",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.BreakerThreshold = 0
				})
			}},
		{Name: "does not say that it is a probe", Rule: "probe/one",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.ClaimsWith(b, func(cl *store.Claim) { cl.Probe = false })
			}},
		{Name: "probes when a retry is due", Rule: "probe/schedule",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					if o.State == store.Pending && o.Probe.Threshold > 0 {
						o.Probe.First, o.Probe.Max = o.RetryIn, o.RetryIn
					}
				})
			}},
		{Name: "probes as often as at first", Rule: "probe/schedule",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					o.Probe.Max = o.Probe.First
				})
			}},
		{Name: "probes without jitter", Rule: "probe/schedule",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) { o.Probe.Jitter = 0 })
			}},
		{Name: "counts probes as retries", Rule: "probe/retry",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) { o.KeepRetry = false })
			}},
		{Name: "leaves what the breaker held back to its backoff", Rule: "probe/closed",
			Spoil: keepsBackoff},
		{Name: "hands out what the breaker held back in reverse", Rule: "probe/closed",
			Spoil: func(b *broken.Store) {
				b.OnClaim = claimsArranged(b, reverseRetries)
			}},
	}
}

// byTried orders claims as a probe chooses, but for what was asked for: first attempts, the newest
// first, and then what was tried the least.
func byTried(a, c store.Claim) int {
	if a.Attempt == 1 && c.Attempt == 1 {
		return byNumber(c, a)
	}
	return cmp.Or(cmp.Compare(a.Attempt, c.Attempt), byNumber(a, c))
}

// probesWith returns a Claim whose probes take what comes first in an order of its own.
func probesWith(
	b *broken.Store, order func(a, c store.Claim) int,
) func(context.Context, store.ClaimRequest) (store.ClaimResult, error) {
	return func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
		result, err := b.Store.Claim(ctx, req)
		if err != nil {
			return result, err
		}
		for i, probe := range result.Claims {
			if !probe.Probe {
				continue
			}
			// All that is due: what the breaker holds back is.
			rest, err := b.Store.Claim(ctx, store.ClaimRequest{Max: 1 << 30, Lease: req.Lease})
			if err != nil {
				return result, err
			}
			for _, cl := range rest.Claims {
				if cl.SubscriptionID == probe.SubscriptionID && order(cl, probe) < 0 {
					probe, cl = cl, probe
				}
				if err := b.Store.Release(ctx, cl.Lease); err != nil {
					return result, err
				}
			}
			probe.Probe = true
			result.Claims[i] = probe
		}
		return result, nil
	}
}

// keepsBackoff makes a store keep what failed back for as long as RetryIn says, also if a breaker
// has opened and closed since.
func keepsBackoff(b *broken.Store) {
	var mu sync.Mutex // guards due
	due := make(map[[2]string]time.Time)
	b.OnFinish = broken.ResultsWith(b, func(o store.Outcome, r *store.Result) {
		mu.Lock()
		defer mu.Unlock()
		delivery := [2]string{o.SubscriptionID, o.EventID}
		if delete(due, delivery); !r.Ignored && o.Parks(r.After) {
			due[delivery] = time.Now().Add(o.RetryIn)
		}
	})
	waits := func(cl store.Claim) bool {
		mu.Lock()
		defer mu.Unlock()
		return !cl.Probe && due[[2]string{cl.SubscriptionID, cl.EventID}].After(time.Now())
	}
	b.OnClaim = func(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
		result, err := b.Store.Claim(ctx, req)
		var ready []store.Claim
		for _, cl := range result.Claims {
			if !waits(cl) {
				ready = append(ready, cl)
			} else if err := b.Store.Release(ctx, cl.Lease); err != nil {
				return store.ClaimResult{}, err
			}
		}
		result.Claims = ready
		return result, err
	}
}

// reverseRetries reverses the order of the claims that are no first attempts.
func reverseRetries(claims []store.Claim) {
	i, j := 0, len(claims)-1
	for i < j {
		switch {
		case claims[i].Attempt == 1:
			i++
		case claims[j].Attempt == 1:
			j--
		default:
			claims[i], claims[j] = claims[j], claims[i]
			i, j = i+1, j-1
		}
	}
}
