package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/outhook/outhook/store"
)

// drain gives everything back that is leased, ends all pauses, and then claims and delivers in both until nothing more
// comes: what can be claimed must be the same each time, and in the end nothing may be pending.
func (tw *twins) drain() {
	if tw.tx != nil {
		tw.endHost(true)
	}
	tw.stepAside()
	tw.note("drain")
	tw.giveBack()
	requeued := false
	for range maxPages {
		claims := tw.claimAll()
		if len(claims) > 0 {
			requeued = false
			tw.deliverAll(claims)
			continue
		}
		if requeued {
			break
		}
		requeued = true
		tw.requeueWith(store.DeliveryQuery{AnyTenant: true, States: []store.State{store.Pending}})
	}
	equal(tw.ours, "Pending after all was claimed and delivered", tw.ours.stats("").Pending, 0)
	equal(tw.model, "Pending of the model after all was claimed and delivered", tw.model.stats("").Pending, 0)
}

// giveBack ends leases, holds and pauses. Whether a lease had run out is then all the same.
func (tw *twins) giveBack() {
	tw.probeNow(tw.subs...)
	for i, p := range tw.claims {
		tw.ours.must("Release", tw.ours.store.Release(tw.ours.ctx, p.ours))
		tw.model.must("Release", tw.model.store.Release(tw.model.ctx, p.model))
		tw.claims[i].voided = true
	}
	for _, id := range tw.subs {
		if _, err := tw.model.store.Subscription(tw.model.ctx, id); err == nil {
			tw.ours.pause(id, 0)
			tw.model.pause(id, 0)
		}
	}
}

// claimAll claims all that is due from both, which must be the same.
func (tw *twins) claimAll() (both []pair) {
	req := store.ClaimRequest{Max: 1000, Lease: tw.ours.long}
	ours, model := tw.ours.claimWith(req).Claims, tw.model.claimWith(req).Claims
	slices.SortFunc(ours, byDelivery)
	slices.SortFunc(model, byDelivery)
	if g, w := named(ours), named(model); g != w {
		tw.ours.errorf("all that is due: got claims of [%s], want [%s]", g, w)
	}
	for i := range min(len(ours), len(model)) {
		if sameDelivery(ours[i].Lease, model[i].Lease) {
			both = append(both, pair{ours: ours[i].Lease, model: model[i].Lease, attempt: ours[i].Attempt})
		}
	}
	return both
}

func byDelivery(a, b store.Claim) int {
	return cmp.Or(cmp.Compare(a.EventID, b.EventID), cmp.Compare(a.SubscriptionID, b.SubscriptionID))
}

func named(claims []store.Claim) string {
	var names []string
	for _, cl := range claims {
		names = append(names, fmt.Sprintf("%s for %s", cl.EventID, cl.SubscriptionID))
	}
	return strings.Join(names, ", ")
}

// deliverAll finishes claims in one call.
func (tw *twins) deliverAll(claims []pair) {
	var ours, model []store.Outcome
	for _, p := range claims {
		o := delivered(store.Claim{Attempt: p.attempt})
		o.Lease = p.ours
		ours = append(ours, o)
		o.Lease = p.model
		model = append(model, o)
	}
	tw.finishBoth(ours, model)
}
