package storetest_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/outhook/outhook/store"
)

// outcomesWith returns a Finish that changes each outcome.
func outcomesWith(
	b *broken, change func(*store.Outcome),
) func(context.Context, ...store.Outcome) ([]store.Result, error) {
	return func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
		outcomes = slices.Clone(outcomes)
		for i := range outcomes {
			change(&outcomes[i])
		}
		return b.Store.Finish(ctx, outcomes...)
	}
}

// resultsWith returns a Finish that changes each result.
func resultsWith(
	b *broken, change func(store.Outcome, *store.Result),
) func(context.Context, ...store.Outcome) ([]store.Result, error) {
	return func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
		results, err := b.Store.Finish(ctx, outcomes...)
		for i := range results {
			change(outcomes[i], &results[i])
		}
		return results, err
	}
}

// drain empties the slot of Ready.
func drain(b *broken) {
	select {
	case <-b.Store.Ready():
	default:
	}
}

// tokens knows the present token of each delivery that was claimed.
type tokens struct {
	mu      sync.Mutex // guards present
	present map[[2]string]uint64
}

// watch makes tokens see what b claims.
func (tk *tokens) watch(b *broken) {
	tk.present = make(map[[2]string]uint64)
	b.claim = claimsWith(b, func(cl *store.Claim) {
		tk.mu.Lock()
		defer tk.mu.Unlock()
		tk.present[[2]string{cl.SubscriptionID, cl.EventID}] = cl.Token
	})
}

func (tk *tokens) of(l store.Lease) uint64 {
	tk.mu.Lock()
	defer tk.mu.Unlock()
	return tk.present[[2]string{l.SubscriptionID, l.EventID}]
}

// forget makes a lease that was given back late.
func (tk *tokens) forget(l store.Lease) {
	tk.mu.Lock()
	defer tk.mu.Unlock()
	delete(tk.present, [2]string{l.SubscriptionID, l.EventID})
}

func finishBreakages() []breakage {
	return []breakage{
		{"ignores the token of a late failure", "finish/late-failure", func(b *broken) {
			var tk tokens
			tk.watch(b)
			b.finish = outcomesWith(b, func(o *store.Outcome) { o.Token = tk.of(o.Lease) })
		}},
		{"ignores the token of a release", "release/token", func(b *broken) {
			var tk tokens
			tk.watch(b)
			b.release = func(ctx context.Context, leases ...store.Lease) error {
				for _, l := range leases {
					l.Token = tk.of(l)
					if err := b.Store.Release(ctx, l); err != nil {
						return err
					}
				}
				return nil
			}
		}},
		{"ignores a late success", "finish/late-success", func(b *broken) {
			var tk tokens
			tk.watch(b)
			b.finish = outcomesWith(b, func(o *store.Outcome) {
				if o.Token != tk.of(o.Lease) {
					o.State = store.Dead
				}
			})
		}},
		{"records no answer", "finish/attempt", func(b *broken) {
			b.finish = outcomesWith(b, func(o *store.Outcome) { o.Attempt.Response = nil })
		}},
		{"takes dead for pending", "finish/dead", func(b *broken) {
			b.finish = outcomesWith(b, func(o *store.Outcome) {
				if o.State == store.Dead {
					o.State = store.Pending
				}
			})
		}},
		{"answers in another order", "finish/results", func(b *broken) {
			b.finish = func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
				results, err := b.Store.Finish(ctx, outcomes...)
				slices.Reverse(results)
				return results, err
			}
		}},
		{"counts holds as failures only", "health/hold", func(b *broken) {
			b.finish = func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
				results, err := b.Store.Finish(ctx, outcomes...)
				for i := range results {
					results[i].After.Probes = 0
				}
				return results, err
			}
		}},
		{"never recovers", "health/recovering", func(b *broken) {
			b.finish = resultsWith(b, func(_ store.Outcome, r *store.Result) { r.After.SlowStart = r.Before.SlowStart })
		}},
		{"recovers through failures", "health/recovering", func(b *broken) {
			b.finish = resultsWith(b, func(o store.Outcome, r *store.Result) {
				if o.State == store.Pending || o.State == store.Dead {
					r.After.SlowStart = max(1, r.Before.SlowStart)
				}
			})
		}},
		{"does not say that there is room", "ready/finish", func(b *broken) {
			b.finish = resultsWith(b, func(store.Outcome, *store.Result) { drain(b) })
		}},
		{"takes canceled for dead", "canceled/ends", func(b *broken) {
			b.finish = outcomesWith(b, func(o *store.Outcome) {
				if o.State == store.Canceled {
					o.State = store.Dead
				}
			})
		}},
		{"gives no reason for a cancel", "canceled/ends", func(b *broken) {
			b.finish = outcomesWith(b, func(o *store.Outcome) {
				if o.State == store.Canceled {
					o.Attempt.Error = ""
				}
			})
		}},
		{"judges by what is canceled", "canceled/no-attempt", func(b *broken) {
			b.finish = resultsWith(b, func(o store.Outcome, r *store.Result) {
				if o.State == store.Canceled && !r.Ignored {
					r.After.Failures++
				}
			})
		}},
		{"holds by what is canceled", "canceled/no-attempt", func(b *broken) {
			b.finish = resultsWith(b, func(o store.Outcome, r *store.Result) {
				if o.State == store.Canceled && !r.Ignored {
					b.pause(o.SubscriptionID, o.ProbeIn)
				}
			})
		}},
		{"ignores the token of a late cancel", "canceled/late", func(b *broken) {
			var tk tokens
			tk.watch(b)
			b.finish = outcomesWith(b, func(o *store.Outcome) {
				if o.State == store.Canceled {
					o.Token = tk.of(o.Lease)
				}
			})
		}},
		{"knows no cap of a gap", "health/failing-for-cap", func(b *broken) {
			var last, first time.Time
			b.finish = outcomesWith(b, func(*store.Outcome) {
				if last = time.Now(); first.IsZero() {
					first = last
				}
			})
			b.stats = func(ctx context.Context, id string) (store.Stats, error) {
				stats, err := b.Store.Stats(ctx, id)
				stats.Health.FailingFor = last.Sub(first)
				return stats, err
			}
		}},
	}
}
