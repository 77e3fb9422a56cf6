package storetest_test

import (
	"context"

	"github.com/outhook/outhook/store"
)

func bodyBreakages() []breakage {
	return []breakage{
		{"forgets a body of its own", "body/own", func(b *broken) {
			b.finish = outcomesWith(b, func(o *store.Outcome) { o.Body = nil })
		}},
		{"gives its own body to all", "body/own", func(b *broken) {
			bodies := bodiesOf{}
			bodies.keep(b, func(l store.Lease) string { return l.EventID }, failedOnes)
		}},
		{"keeps the first body of its own", "body/stays", func(b *broken) {
			had := make(map[[2]string]bool)
			b.finish = outcomesWith(b, func(o *store.Outcome) {
				if d := [2]string{o.SubscriptionID, o.EventID}; had[d] {
					o.Body = nil
				} else if o.Body != nil {
					had[d] = true
				}
			})
		}},
		{"drops its own body when it is requeued", "body/requeued", func(b *broken) {
			first := make(map[string][]byte)
			b.claim = claimsWith(b, func(cl *store.Claim) {
				if first[cl.EventID] == nil {
					first[cl.EventID] = cl.Body
				}
				if cl.Retry == 0 {
					cl.Body = first[cl.EventID]
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
			if o := outcomes[i]; o.Body != nil && keeps(o, r) {
				bodies[name(o.Lease)] = o.Body
			}
		}
		return results, err
	}
	b.claim = claimsWith(b, func(cl *store.Claim) {
		if body := bodies[name(cl.Lease)]; body != nil {
			cl.Body = body
		}
	})
}

func oneDelivery(l store.Lease) string { return l.SubscriptionID + " " + l.EventID }

func failedOnes(o store.Outcome, r store.Result) bool {
	return !r.Ignored && (o.State == store.Pending || o.State == store.Dead)
}
