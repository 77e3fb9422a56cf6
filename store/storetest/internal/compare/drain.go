package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// drain gives everything back that is leased, ends all pauses of both kinds, and then claims and
// delivers in both until nothing more comes: what can be claimed must be the same each time, and in
// the end nothing may be pending.
func (s *sequence) drain() {
	if s.tx != nil {
		s.endHost(true)
	}
	s.stepAside()
	s.note("drain")
	s.releaseAll()
	requeued := false
	for range check.MaxPages {
		claims := s.claimAll()
		if len(claims) > 0 {
			requeued = false
			s.deliverAll(claims)
			continue
		}
		if requeued {
			break
		}
		requeued = true
		s.requeueWith(store.DeliveryQuery{AnyTenant: true, States: []store.State{store.Pending}})
	}
	check.Equal(s.ours, "Pending after all was claimed and delivered", s.ours.Stats("").Pending, 0)
	check.Equal(s.model, "Pending of the model after all was claimed and delivered",
		s.model.Stats("").Pending, 0)
}

// releaseAll ends leases, holds, limits, and pauses of both kinds, so that it does not matter which
// leases had run out.
func (s *sequence) releaseAll() {
	s.probeNow(s.subs...)
	s.endLimits(s.subs...)
	for i, p := range s.claims {
		s.ours.Must("Release", s.ours.Store.Release(s.ours.Ctx(), p.ours))
		s.model.Must("Release", s.model.Store.Release(s.model.Ctx(), p.model))
		s.claims[i].voided = true
	}
	for _, id := range s.subs {
		if _, err := s.model.Store.Subscription(s.model.Ctx(), id); err == nil {
			s.ours.Pause(id, 0)
			s.model.Pause(id, 0)
			s.ours.Update(id, resume)
			s.model.Update(id, resume)
		}
	}
}

// resume ends what withholds a subscription.
func resume(s *store.Subscription) {
	if s.Collects() {
		s.Status = store.Subscribed
	}
	if s.URL == "" {
		s.URL = "https://resumed.example/"
	}
}

// claimAll claims all that is due from both, which must be the same.
func (mp *modelPair) claimAll() (both []pair) {
	req := store.ClaimRequest{Max: 1000, Lease: mp.ours.Long}
	ours, model := mp.ours.ClaimWith(req).Claims, mp.model.ClaimWith(req).Claims
	slices.SortFunc(ours, byDelivery)
	slices.SortFunc(model, byDelivery)
	if g, w := named(ours), named(model); g != w {
		mp.ours.Errorf("all that is due: got claims of [%s], want [%s]", g, w)
	}
	for i := range min(len(ours), len(model)) {
		if sameDelivery(ours[i].Lease, model[i].Lease) {
			both = append(both,
				pair{ours: ours[i].Lease, model: model[i].Lease, attempt: ours[i].Attempt})
		}
	}
	return both
}

func byDelivery(a, b store.Claim) int {
	return cmp.Or(cmp.Compare(a.EventID, b.EventID),
		cmp.Compare(a.SubscriptionID, b.SubscriptionID))
}

func named(claims []store.Claim) string {
	var names []string
	for _, cl := range claims {
		names = append(names, fmt.Sprintf("%s for %s", cl.EventID, cl.SubscriptionID))
	}
	return strings.Join(names, ", ")
}

// deliverAll finishes claims in one call.
func (mp *modelPair) deliverAll(claims []pair) {
	var ours, model []store.Outcome
	for _, p := range claims {
		o := check.Delivered(store.Claim{Attempt: p.attempt})
		o.Lease = p.ours
		ours = append(ours, o)
		o.Lease = p.model
		model = append(model, o)
	}
	mp.finishBoth(ours, model)
}
