package calls_test

import (
	"context"
	"errors"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func boundsBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "takes any lease", Rule: "bounds/refused",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.Lease = min(max(req.Lease, 1), store.MaxDuration)
				})
			}},
		{Name: "takes any delay", Rule: "bounds/refused",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					o.RetryIn = min(max(o.RetryIn, 0), store.MaxDuration)
				})
			}},
		{Name: "takes any retention", Rule: "bounds/refused",
			Spoil: func(b *broken.Store) {
				b.OnPrune = func(ctx context.Context, r store.Retention) (bool, error) {
					r.Failed = min(max(r.Failed, 0), store.MaxDuration)
					return b.Store.Prune(ctx, r)
				}
			}},
		{Name: "refuses without a name", Rule: "bounds/refused",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = func(ctx context.Context,
					q store.DeliveryQuery) (store.Page[store.Delivery], error) {
					page, err := b.Store.Deliveries(ctx, q)
					if invalid := new(events.InvalidError); errors.As(err, &invalid) &&
						invalid.Field == "limit" {
						err = &events.InvalidError{Field: "query", Reason: invalid.Reason}
					}
					return page, err
				}
			}},
		{Name: "records a part of what it refuses", Rule: "bounds/refused",
			Spoil: func(b *broken.Store) {
				b.OnFinish = func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result,
					error) {
					var results []store.Result
					for _, o := range outcomes {
						r, err := b.Store.Finish(ctx, o)
						if err != nil {
							return nil, err
						}
						results = append(results, r...)
					}
					return results, nil
				}
			}},
		{Name: "a long lease overflows", Rule: "bounds/longest-lease",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.RequestWith(b, func(req *store.ClaimRequest) {
					req.Lease = overflow(req.Lease)
				})
			}},
		{Name: "a long delay overflows", Rule: "bounds/longest-retry",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					o.RetryIn = overflow(o.RetryIn)
				})
			}},
		{Name: "a long hold overflows", Rule: "bounds/longest-hold",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					o.Probe.First = overflow(o.Probe.First)
				})
			}},
		{Name: "a long retention overflows", Rule: "bounds/longest-retention",
			Spoil: func(b *broken.Store) {
				b.OnPrune = func(ctx context.Context, r store.Retention) (bool, error) {
					return b.Store.Prune(ctx,
						store.Retention{Delivered: overflow(r.Delivered),
							Failed: overflow(r.Failed)})
				}
			}},
		{Name: "a large limit overflows", Rule: "bounds/largest-limit",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = func(ctx context.Context,
					q store.DeliveryQuery) (store.Page[store.Delivery], error) {
					if q.Limit == store.MaxLimit && q.Cursor != "" {
						q.Limit = 1
					}
					return b.Store.Deliveries(ctx, q)
				}
			}},
		{Name: "can't keep the year 9999", Rule: "bounds/times",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					if o.Attempt.At.Year() > 2262 {
						o.Attempt.At = time.Unix(0, o.Attempt.At.UnixNano())
					}
				})
			}},
	}
}

// overflow is a long duration in a store whose numbers are too small.
func overflow(d time.Duration) time.Duration {
	if d > store.MaxDuration/2 {
		return time.Nanosecond
	}
	return d
}
