package outcomes_test

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func bodyBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "forgets a body of its own", Rule: "body/own",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					o.BodyState, o.BodyOverride = 0, nil
				})
			}},
		{Name: "gives an override in place of the event's body", Rule: "body/states",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.ClaimsWith(b, func(cl *store.Claim) {
					if cl.BodyState == store.BodyOverridden {
						cl.Body = cl.BodyOverride
					}
				})
			}},
		{Name: "keeps an override that is over", Rule: "body/states",
			Spoil: func(b *broken.Store) {
				bodies := make(map[string][]byte)
				b.OnClaim = broken.ClaimsWith(b, func(cl *store.Claim) {
					if cl.BodyState == store.BodyOverridden {
						bodies[oneDelivery(cl.Lease)] = cl.BodyOverride
					}
					cl.BodyOverride = bodies[oneDelivery(cl.Lease)]
				})
			}},
		{Name: "knows overrides alone", Rule: "body/states",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					if o.BodyState != store.BodyOverridden {
						o.BodyState = store.BodyUndecided
					}
				})
			}},
		{Name: "takes an empty override for none", Rule: "body/states",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					if len(o.BodyOverride) == 0 {
						o.BodyState = store.BodyUndecided
					}
				})
			}},
		{Name: "gives its own body to all", Rule: "body/own",
			Spoil: func(b *broken.Store) {
				bodies := bodiesOf{}
				bodies.keep(b, func(l store.Lease) string { return l.EventID }, failedOnes)
			}},
		{Name: "keeps the first body of its own", Rule: "body/stays",
			Spoil: func(b *broken.Store) {
				had := make(map[[2]string]bool)
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					if d := [2]string{o.SubscriptionID, o.EventID}; had[d] {
						o.BodyState, o.BodyOverride = 0, nil
					} else if o.BodyOverride != nil {
						had[d] = true
					}
				})
			}},
		{Name: "drops its own body when it is requeued", Rule: "body/requeued",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.ClaimsWith(b, func(cl *store.Claim) {
					if cl.Retry == 0 {
						cl.BodyState, cl.BodyOverride = 0, nil
					}
				})
			}},
		{Name: "keeps the body of failures alone", Rule: "body/requeued",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					if o.State == store.Delivered {
						o.BodyState, o.BodyOverride = 0, nil
					}
				})
			}},
		{Name: "knows overrides alone of a success", Rule: "body/requeued",
			Spoil: func(b *broken.Store) {
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					if o.State == store.Delivered && !o.BodyState.HasOverride() {
						o.BodyState = 0
					}
				})
			}},
		{Name: "keeps no body of a success after a success", Rule: "body/successes",
			Spoil: func(b *broken.Store) {
				succeeded := false
				b.OnFinish = broken.OutcomesWith(b, func(o *store.Outcome) {
					if succeeded {
						o.BodyState, o.BodyOverride = 0, nil
					}
					succeeded = o.State == store.Delivered
				})
			}},
		{Name: "keeps the body of every outcome", Rule: "body/only-counted",
			Spoil: func(b *broken.Store) {
				bodies := bodiesOf{}
				bodies.keep(b, oneDelivery, func(store.Outcome, store.Result) bool { return true })
			}},
		{Name: "keeps a reference to a body", Rule: "body/reference",
			Spoil: func(b *broken.Store) {
				bodies := bodiesOf{}
				bodies.keep(b, oneDelivery, failedOnes)
			}},
	}
}

// bodiesOf has bodies of their own, kept beside the store.
type bodiesOf map[string][]byte

// keep makes b's claims have the last body of an outcome that keeps says yes to, of what has the
// same name.
func (bodies bodiesOf) keep(
	b *broken.Store, name func(store.Lease) string, keeps func(store.Outcome, store.Result) bool,
) {
	b.OnFinish = func(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
		results, err := b.Store.Finish(ctx, outcomes...)
		for i, r := range results {
			if o := outcomes[i]; o.BodyOverride != nil && keeps(o, r) {
				bodies[name(o.Lease)] = o.BodyOverride
			}
		}
		return results, err
	}
	b.OnClaim = broken.ClaimsWith(b, func(cl *store.Claim) {
		if body := bodies[name(cl.Lease)]; body != nil {
			cl.BodyState, cl.BodyOverride = store.BodyOverridden, body
		}
	})
}

func oneDelivery(l store.Lease) string { return l.SubscriptionID + " " + l.EventID }

func failedOnes(o store.Outcome, r store.Result) bool {
	return !r.Ignored && (o.State == store.Pending || o.State == store.Dead)
}
