package storetest_test

import (
	"context"

	"github.com/outhook/outhook/store"
)

func bodyBreakages() []breakage {
	return []breakage{
		{"forgets a body of its own", "body/own", func(b *broken) {
			b.finish = outcomesWith(b, func(o *store.Outcome) { o.BodyState, o.BodyOverride = 0, nil })
		}},
		{"gives an override in place of the event's body", "body/states", func(b *broken) {
			b.claim = claimsWith(b, func(cl *store.Claim) {
				if cl.BodyState == store.BodyOverridden {
					cl.Body = cl.BodyOverride
				}
			})
		}},
		{"keeps an override that is over", "body/states", func(b *broken) {
			bodies := make(map[string][]byte)
			b.claim = claimsWith(b, func(cl *store.Claim) {
				if cl.BodyState == store.BodyOverridden {
					bodies[oneDelivery(cl.Lease)] = cl.BodyOverride
				}
				cl.BodyOverride = bodies[oneDelivery(cl.Lease)]
			})
		}},
		{"knows overrides alone", "body/states", func(b *broken) {
			b.finish = outcomesWith(b, func(o *store.Outcome) {
				if o.BodyState != store.BodyOverridden {
					o.BodyState = store.BodyUndecided
				}
			})
		}},
		{"takes an empty override for none", "body/states", func(b *broken) {
			b.finish = outcomesWith(b, func(o *store.Outcome) {
				if len(o.BodyOverride) == 0 {
					o.BodyState = store.BodyUndecided
				}
			})
		}},
		{"gives its own body to all", "body/own", func(b *broken) {
			bodies := bodiesOf{}
			bodies.keep(b, func(l store.Lease) string { return l.EventID }, failedOnes)
		}},
		{"keeps the first body of its own", "body/stays", func(b *broken) {
			had := make(map[[2]string]bool)
			b.finish = outcomesWith(b, func(o *store.Outcome) {
				if d := [2]string{o.SubscriptionID, o.EventID}; had[d] {
					o.BodyState, o.BodyOverride = 0, nil
				} else if o.BodyOverride != nil {
					had[d] = true
				}
			})
		}},
		{"drops its own body when it is requeued", "body/requeued", func(b *broken) {
			b.claim = claimsWith(b, func(cl *store.Claim) {
				if cl.Retry == 0 {
					cl.BodyState, cl.BodyOverride = 0, nil
				}
			})
		}},
		{"keeps the body of every outcome", "body/only-failures", func(b *broken) {
			bodies := bodiesOf{}
			bodies.keep(b, oneDelivery, func(store.Outcome, store.Result) bool { return true })
		}},
		{"keeps a reference to a body", "body/reference", func(b *broken) {
			bodies := bodiesOf{}
			bodies.keep(b, oneDelivery, failedOnes)
		}},
	}
}

// bodiesOf has bodies of their own, kept beside the store.
type bodiesOf map[string][]byte

// keep makes b's claims have the last body of an outcome that keeps says yes to, of what has the same name.
func (bodies bodiesOf) keep(
	b *broken, name func(store.Lease) string, keeps func(store.Outcome, store.Result) bool,
) {
	b.finish = func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
		results, err := b.Store.Finish(ctx, outcomes...)
		for i, r := range results {
			if o := outcomes[i]; o.BodyOverride != nil && keeps(o, r) {
				bodies[name(o.Lease)] = o.BodyOverride
			}
		}
		return results, err
	}
	b.claim = claimsWith(b, func(cl *store.Claim) {
		if body := bodies[name(cl.Lease)]; body != nil {
			cl.BodyState, cl.BodyOverride = store.BodyOverridden, body
		}
	})
}

func oneDelivery(l store.Lease) string { return l.SubscriptionID + " " + l.EventID }

func failedOnes(o store.Outcome, r store.Result) bool {
	return !r.Ignored && (o.State == store.Pending || o.State == store.Dead)
}
