package queue_test

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

// throttleBreakages are of what an answer means for the endpoint that gave it.
func throttleBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "holds a throttled delivery, and not its subscription", Rule: "throttle/hold",
			Spoil: func(b *broken.Store) {
				b.OnFinish = throttledWith(b, func(o *store.Outcome) {
					o.Effect, o.RetryIn, o.ThrottleFor = store.EffectNone, o.ThrottleFor, 0
				})
			}},
		{Name: "holds for a time of its own", Rule: "throttle/hold",
			Spoil: func(b *broken.Store) {
				b.OnFinish = throttledWith(b, func(o *store.Outcome) { o.ThrottleFor = 0 })
			}},
		{Name: "ends the hold of a throttled answer with a success", Rule: "throttle/success",
			Spoil: func(b *broken.Store) {
				b.OnFinish = func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result,
					error) {
					results, err := b.Store.Finish(ctx, outcomes...)
					for _, o := range outcomes {
						if o.State == store.Delivered {
							_ = b.Store.Recovered(ctx, o.SubscriptionID)
						}
					}
					return results, err
				}
			}},
		{Name: "takes a throttled answer for a failure", Rule: "throttle/health",
			Spoil: func(b *broken.Store) {
				b.OnFinish = throttledWith(b, func(o *store.Outcome) {
					o.Effect, o.ThrottleFor = store.EffectDown, 0
				})
			}},
		{Name: "counts a throttled answer as a retry", Rule: "throttle/health",
			Spoil: func(b *broken.Store) {
				b.OnFinish = throttledWith(b, func(o *store.Outcome) { o.KeepRetry = false })
			}},
		{Name: "does not halve the limit", Rule: "throttle/health",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.PerSubscription *= 2
				})
			}},
		{Name: "learns no pace", Rule: "throttle/pace",
			Spoil: func(b *broken.Store) {
				b.OnFinish = throttledWith(b, func(o *store.Outcome) {
					o.Effect, o.ThrottleFor = store.EffectRefused, 0
				})
			}},
		{Name: "takes a refusal for a failure", Rule: "throttle/refused",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					if o.Effect == store.EffectRefused {
						o.Effect = store.EffectDown
					}
				})
			}},
		{Name: "takes a refusal for nothing", Rule: "throttle/refused",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					if o.Effect == store.EffectRefused {
						o.Effect = store.EffectNone
					}
				})
			}},
		{Name: "takes a failure of the host for one of the endpoint", Rule: "throttle/none",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					if o.Effect == store.EffectNone {
						o.Effect = store.EffectDown
					}
				})
			}},
	}
}

// throttledWith returns a Finish that changes the outcomes of throttled answers.
func throttledWith(
	b *broken.Store, change func(*store.Outcome),
) func(context.Context, ...store.Outcome) ([]store.Result, error) {
	return broken.OutcomesWith(b, func(o *store.Outcome) {
		if o.Effect == store.EffectThrottled {
			change(o)
		}
	})
}
