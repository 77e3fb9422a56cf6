package storetest

import (
	"slices"

	"github.com/outhook/outhook/store"
)

// room is how much a request leaves to claim, by what is leased already.
type room struct {
	req      store.ClaimRequest
	requeued map[delivery]bool
	leased   map[string]int // by subscription
	unproven int            // of them those of subscriptions that are not Proven
}

// room returns the room that the request leaves in the model.
func (tw *twins) room(req store.ClaimRequest) room {
	r := room{req: req, requeued: tw.requeued, leased: make(map[string]int)}
	page, err := tw.model.store.Subscriptions(tw.model.ctx, store.SubscriptionQuery{AnyTenant: true})
	tw.model.must("Subscriptions", err)
	for _, sub := range page.Items {
		stats := tw.model.stats(sub.ID)
		r.leased[sub.ID] = stats.InFlight
		if !stats.Health.Proven {
			r.unproven += stats.InFlight
		}
	}
	return r
}

// share is what could be claimed of one subscription, and what was.
type share struct {
	proven     bool
	room, took int
}

// check checks that a claim took what it may and must of all that was due: within the limits, as much as they allow,
// in order, and in turns.
func (r room) check(c *check, got, all []store.Claim) {
	shares := r.shares(c, got, all)
	total := map[bool]share{} // by proven
	for _, s := range shares {
		t := total[s.proven]
		t.room += s.room
		t.took += s.took
		total[s.proven] = t
	}
	proven, unproven := total[true], total[false]
	if r.req.Unproven > 0 {
		unproven.room = min(unproven.room, max(0, r.req.Unproven-r.unproven))
	}
	equal(c, "claims, by what the limits allow", len(got), min(max(0, r.req.Max), proven.room+unproven.room))
	inTurns(c, "Proven and not", proven, unproven)
	for id, s := range shares {
		for other, o := range shares {
			if s.proven == o.proven && id < other {
				inTurns(c, id+" and "+other, s, o)
			}
		}
	}
	for id := range shares {
		first, due := r.firstAttempts(got, id), r.firstAttempts(all, id)
		c.sameIDs("first attempts of "+id, first, due[:min(len(first), len(due))])
	}
}

// shares returns the share of each subscription that has something due.
func (r room) shares(c *check, got, all []store.Claim) map[string]share {
	shares := make(map[string]share)
	for _, cl := range all {
		s := shares[cl.SubscriptionID]
		s.proven = cl.Health.Proven
		s.room++
		shares[cl.SubscriptionID] = s
	}
	for id, s := range shares {
		i := slices.IndexFunc(all, func(cl store.Claim) bool { return cl.SubscriptionID == id })
		limit := r.req.PerSubscription
		if r.req.ProbeAfter > 0 && all[i].Health.Failures >= r.req.ProbeAfter {
			limit = 1
		}
		if limit > 0 {
			s.room = min(s.room, max(0, limit-r.leased[id]))
		}
		shares[id] = s
	}
	for _, cl := range got {
		if !slices.ContainsFunc(all, func(a store.Claim) bool { return sameDelivery(a.Lease, cl.Lease) }) {
			c.errorf("claim: got %s for %s, which is not due", cl.EventID, cl.SubscriptionID)
		}
		s := shares[cl.SubscriptionID]
		s.took++
		shares[cl.SubscriptionID] = s
	}
	for id, s := range shares {
		if s.took > s.room {
			c.errorf("claims of %s: got %d, want at most %d", id, s.took, s.room)
		}
	}
	return shares
}

// inTurns checks that neither of two had another turn while the other had room and got none.
func inTurns(c *check, who string, a, b share) {
	if a.took > b.took+1 && b.took < b.room || b.took > a.took+1 && a.took < a.room {
		c.errorf("turns of %s: got %d and %d claims, with room for %d and %d", who, a.took, b.took, a.room, b.room)
	}
}

// firstAttempts returns the events whose first attempt is claimed for the subscription in the order of Enqueue.
func (r room) firstAttempts(claims []store.Claim, subscriptionID string) []string {
	var ids []string
	for _, cl := range claims {
		if cl.SubscriptionID == subscriptionID && cl.Attempt == 1 && !r.requeued[delivery{subscriptionID, cl.EventID}] {
			ids = append(ids, cl.EventID)
		}
	}
	return ids
}
