package storetest_test

import (
	"context"
	"errors"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// overflow is what becomes of a long duration in a store whose numbers are too small.
func overflow(d time.Duration) time.Duration {
	if d > store.MaxDuration/2 {
		return time.Nanosecond
	}
	return d
}

func boundBreakages() []breakage {
	return []breakage{
		{"takes any lease", "bounds/refused", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) {
				req.Lease = min(max(req.Lease, 1), store.MaxDuration)
			})
		}},
		{"takes any delay", "bounds/refused", func(b *broken) {
			b.finish = outcomesWith(b, func(o *store.Outcome) { o.RetryIn = min(max(o.RetryIn, 0), store.MaxDuration) })
		}},
		{"takes any retention", "bounds/refused", func(b *broken) {
			b.prune = func(ctx context.Context, r store.Retention) (bool, error) {
				r.Failed = min(max(r.Failed, 0), store.MaxDuration)
				return b.Store.Prune(ctx, r)
			}
		}},
		{"refuses without a name", "bounds/refused", func(b *broken) {
			b.deliveries = func(ctx context.Context, q store.DeliveryQuery) (store.Page[store.Delivery], error) {
				page, err := b.Store.Deliveries(ctx, q)
				if invalid := new(events.InvalidError); errors.As(err, &invalid) && invalid.Field == "limit" {
					err = &events.InvalidError{Field: "query", Reason: invalid.Reason}
				}
				return page, err
			}
		}},
		{"records a part of what it refuses", "bounds/refused", func(b *broken) {
			b.finish = func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
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
		{"a long lease overflows", "bounds/longest-lease", func(b *broken) {
			b.claim = requestWith(b, func(req *store.ClaimRequest) { req.Lease = overflow(req.Lease) })
		}},
		{"a long delay overflows", "bounds/longest-retry", func(b *broken) {
			b.finish = outcomesWith(b, func(o *store.Outcome) { o.RetryIn = overflow(o.RetryIn) })
		}},
		{"a long hold overflows", "bounds/longest-hold", func(b *broken) {
			b.finish = outcomesWith(b, func(o *store.Outcome) { o.Probe.First = overflow(o.Probe.First) })
		}},
		{"a long retention overflows", "bounds/longest-retention", func(b *broken) {
			b.prune = func(ctx context.Context, r store.Retention) (bool, error) {
				return b.Store.Prune(ctx, store.Retention{Delivered: overflow(r.Delivered), Failed: overflow(r.Failed)})
			}
		}},
		{"a large limit overflows", "bounds/largest-limit", func(b *broken) {
			b.deliveries = func(ctx context.Context, q store.DeliveryQuery) (store.Page[store.Delivery], error) {
				if q.Limit == store.MaxLimit && q.Cursor != "" {
					q.Limit = 1
				}
				return b.Store.Deliveries(ctx, q)
			}
		}},
		{"can't keep the year 9999", "bounds/times", func(b *broken) {
			b.finish = outcomesWith(b, func(o *store.Outcome) {
				if o.Attempt.At.Year() > 2262 {
					o.Attempt.At = time.Unix(0, o.Attempt.At.UnixNano())
				}
			})
		}},
	}
}
