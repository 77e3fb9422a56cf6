package outcomes_test

import (
	"context"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func finishBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "ignores the token of a late failure", Rule: "finish/late-failure",
			Spoil: func(b *broken.Store) {
				var tk broken.Tokens
				tk.Watch(b)
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					o.Token = tk.Of(o.Lease)
				})
			}},
		{Name: "ignores the token of a release", Rule: "release/token",
			Spoil: func(b *broken.Store) {
				var tk broken.Tokens
				tk.Watch(b)
				b.OnRelease = func(ctx context.Context, leases ...store.Lease) error {
					for _, l := range leases {
						l.Token = tk.Of(l)
						if err := b.Store.Release(ctx, l); err != nil {
							return err
						}
					}
					return nil
				}
			}},
		{Name: "ignores a late success", Rule: "finish/late-success",
			Spoil: func(b *broken.Store) {
				var tk broken.Tokens
				tk.Watch(b)
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					if o.Token != tk.Of(o.Lease) {
						o.State = store.Dead
					}
				})
			}},
		{Name: "records no answer", Rule: "finish/attempt",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					o.Attempt.Response = nil
				})
			}},
		{Name: "records no detail", Rule: "finish/attempt",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					o.Attempt.Detail = nil
				})
			}},
		{Name: "takes dead for pending", Rule: "finish/dead",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					if o.State == store.Dead {
						o.State = store.Pending
					}
				})
			}},
		{Name: "answers in another order", Rule: "finish/results",
			Spoil: func(b *broken.Store) {
				b.OnFinish = func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result,
					error) {
					results, err := b.Store.Finish(ctx, outcomes...)
					slices.Reverse(results)
					return results, err
				}
			}},
		{Name: "counts holds as failures only", Rule: "health/hold",
			Spoil: func(b *broken.Store) {
				b.OnFinish = func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result,
					error) {
					results, err := b.Store.Finish(ctx, outcomes...)
					for i := range results {
						results[i].After.Probes = 0
					}
					return results, err
				}
			}},
		{Name: "never recovers", Rule: "health/recovering",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.ResultsWith(b, func(_ store.Outcome, r *store.Result) {
					r.After.SlowStart = r.Before.SlowStart
				})
			}},
		{Name: "recovers through failures", Rule: "health/recovering",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.ResultsWith(b, func(o store.Outcome, r *store.Result) {
					if o.State == store.Pending || o.State == store.Dead {
						r.After.SlowStart = max(1, r.Before.SlowStart)
					}
				})
			}},
		{Name: "does not say that there is room", Rule: "ready/finish",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.ResultsWith(b, func(store.Outcome, *store.Result) { drain(b) })
			}},
		{Name: "takes canceled for dead", Rule: "canceled/ends",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					if o.State == store.Canceled {
						o.State = store.Dead
					}
				})
			}},
		{Name: "gives no reason for a cancel", Rule: "canceled/ends",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					if o.State == store.Canceled {
						o.Attempt.Error = ""
					}
				})
			}},
		{Name: "judges by what is canceled", Rule: "canceled/no-attempt",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.ResultsWith(b, func(o store.Outcome, r *store.Result) {
					if o.State == store.Canceled && !r.Ignored {
						r.After.Failures++
					}
				})
			}},
		{Name: "holds by what is canceled", Rule: "canceled/no-attempt",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.ResultsWith(b, func(o store.Outcome, r *store.Result) {
					if o.State == store.Canceled && !r.Ignored {
						b.Pause(o.SubscriptionID, o.Probe.First)
					}
				})
			}},
		{Name: "ignores the token of a late cancel", Rule: "canceled/late",
			Spoil: func(b *broken.Store) {
				var tk broken.Tokens
				tk.Watch(b)
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					if o.State == store.Canceled {
						o.Token = tk.Of(o.Lease)
					}
				})
			}},
		{Name: "knows no cap of a gap", Rule: "health/failing-for-cap",
			Spoil: func(b *broken.Store) {
				var last, first time.Time
				b.OnFinish = broken.OutcomesWith(b, func(*store.Outcome) {
					if last = time.Now(); first.IsZero() {
						first = last
					}
				})
				b.OnStats = func(ctx context.Context, id string) (store.Stats, error) {
					stats, err := b.Store.Stats(ctx, id)
					stats.Health.FailingFor = last.Sub(first)
					return stats, err
				}
			}},
	}
}

// drain empties the slot of Ready.
func drain(b *broken.Store) {
	select {
	case <-b.Store.Ready():
	default:
	}
}
