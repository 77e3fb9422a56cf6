package compare

import (
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// room is how much a request leaves to claim, by what is leased already.
type room struct {
	req      store.ClaimRequest
	requeued map[delivery]bool
	shards   bool           // classes take turns within each of several stores
	leased   map[string]int // by subscription
	of       [store.Classes]int
}

var classNames = [store.Classes]string{"healthy ones", "new ones", "failing ones", "slow ones"}

// room returns the room that the request leaves in the model.
func (s *sequence) room(req store.ClaimRequest) room {
	r := room{req: req, requeued: s.requeued, shards: s.shards, leased: make(map[string]int)}
	page, err := s.model.Store.Subscriptions(s.model.Ctx, store.SubscriptionQuery{AnyTenant: true})
	s.model.Must("Subscriptions", err)
	for _, sub := range page.Items {
		stats := s.model.Stats(sub.ID)
		r.leased[sub.ID] = stats.InFlight
		r.of[stats.Health.Class()] += stats.InFlight
	}
	return r
}

// share is what could be claimed of one subscription, or of a class, and what was.
type share struct {
	class      store.Class
	room, took int
}

// check checks that a claim took what it may and must of all that was due: within the limits, as
// much as they allow, in order, and in turns of classes. Which subscriptions of a class come first
// goes by the time that their leases took, which differs from one store to another.
func (r room) check(c *check.Driver, got, all []store.Claim) {
	shares := r.shares(c, got, all)
	r.checkClasses(c, shares, len(got))
	for id := range shares {
		first, due := r.firstAttempts(got, id), r.firstAttempts(all, id)
		c.SameIDs("first attempts of "+id, first, due[:min(len(first), len(due))])
	}
}

// checkClasses checks what a claim of so many took of each class.
func (r room) checkClasses(c *check.Driver, shares map[string]share, got int) {
	var of [store.Classes]share
	for _, s := range shares {
		of[s.class].room += s.room
		of[s.class].took += s.took
	}
	if r.req.MaxFailing > 0 {
		ill := &of[store.ClassFailing]
		ill.room = min(ill.room, max(0, r.req.MaxFailing-r.of[store.ClassFailing]))
	}
	unhealthy := []store.Class{store.ClassNew, store.ClassFailing, store.ClassSlow}
	left := r.req.MaxUnhealthy
	room, took := 0, 0
	for _, class := range unhealthy {
		left -= r.of[class]
		room += of[class].room
		took += of[class].took
	}
	if r.req.MaxUnhealthy > 0 {
		room = min(room, max(0, left))
		for _, class := range unhealthy {
			of[class].room = min(of[class].room, room)
		}
	}
	check.Equal(c, "claims, by what the limits allow", got,
		min(max(0, r.req.Max), of[store.ClassHealthy].room+room))
	if ill := of[store.ClassFailing]; ill.took > ill.room || took > room {
		c.Errorf("claims: got %d of failing ones and %d of all that are not healthy; "+
			"want at most %d and %d",
			ill.took, took, ill.room, room)
	}
	if r.shards {
		return
	}
	for i, class := range unhealthy {
		for _, other := range unhealthy[:i] {
			inTurns(c, classNames[other]+" and "+classNames[class], of[other], of[class])
		}
	}
	for _, class := range unhealthy {
		s := of[class]
		if took == room { // none of them had more to give
			s.room = s.took
		}
		inTurns(c, "healthy ones and "+classNames[class], of[store.ClassHealthy], s)
	}
}

// shares returns the share of each subscription that has something due.
func (r room) shares(c *check.Driver, got, all []store.Claim) map[string]share {
	shares := make(map[string]share)
	for _, cl := range all {
		s := shares[cl.SubscriptionID]
		s.class = cl.Health.Class()
		s.room++
		if limit := r.req.Limit(&cl.Health); limit > 0 {
			s.room = min(s.room, max(0, limit-r.leased[cl.SubscriptionID]))
		}
		shares[cl.SubscriptionID] = s
	}
	for _, cl := range got {
		if !slices.ContainsFunc(all, func(a store.Claim) bool {
			return sameDelivery(a.Lease, cl.Lease)
		}) {
			c.Errorf("claim: got %s for %s, which is not due", cl.EventID, cl.SubscriptionID)
		}
		s := shares[cl.SubscriptionID]
		s.took++
		shares[cl.SubscriptionID] = s
	}
	for id, s := range shares {
		if s.took > s.room {
			c.Errorf("claims of %s: got %d, want at most %d", id, s.took, s.room)
		}
	}
	return shares
}

// inTurns checks that neither of two had another turn while the other had room and got none.
func inTurns(c *check.Driver, who string, a, b share) {
	if a.took > b.took+1 && b.took < b.room || b.took > a.took+1 && a.took < a.room {
		c.Errorf("turns of %s: got %d and %d claims, with room for %d and %d", who, a.took, b.took,
			a.room, b.room)
	}
}

// firstAttempts returns the events whose first attempt is claimed for the subscription in the order
// of Enqueue.
func (r room) firstAttempts(claims []store.Claim, subscriptionID string) []string {
	var ids []string
	for _, cl := range claims {
		if cl.SubscriptionID == subscriptionID && cl.Attempt == 1 &&
			!r.requeued[delivery{subscriptionID, cl.EventID}] {
			ids = append(ids, cl.EventID)
		}
	}
	return ids
}
