package compare

import (
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// room is how much a request leaves to claim, by what is leased already.
type room struct {
	req      store.ClaimRequest
	requeued map[delivery]bool
	own      map[string]ownLimit
	now      time.Time
	shards   bool // classes take turns within each of several stores

	class    [store.Classes]int // leases
	sub      map[string]int     // leases, by subscription
	tenant   map[string]int
	hosts    map[string]int
	hostOf   map[string]string // by subscription
	tenantOf map[string]string
}

var classNames = [store.Classes]string{"healthy ones", "new ones", "failing ones", "slow ones"}

// room returns the room that the request leaves in the model.
func (s *sequence) room(req store.ClaimRequest) room {
	r := room{
		req: req, requeued: s.requeued, own: s.own, now: time.Now(), shards: s.shards,
		sub: make(map[string]int), tenant: make(map[string]int),
		hosts: make(map[string]int), hostOf: make(map[string]string),
		tenantOf: make(map[string]string),
	}
	page, err := s.model.Store.Subscriptions(s.model.Ctx(), store.SubscriptionQuery{AnyTenant: true})
	s.model.Must("Subscriptions", err)
	for _, sub := range page.Items {
		stats := s.model.Stats(sub.ID)
		r.tenantOf[sub.ID], r.hostOf[sub.ID] = sub.Tenant, hostOf(sub.URL)
		r.add(sub.ID, stats.Health.Class(), stats.InFlight)
	}
	return r
}

// add counts leases.
func (r *room) add(id string, class store.Class, n int) {
	r.sub[id] += n
	r.class[class] += n
	r.tenant[r.tenantOf[id]] += n
	r.hosts[r.hostOf[id]] += n
}

// full returns which limit keeps one more of a subscription from being leased; "" if none does.
func (r *room) full(id string, h *store.Health) string {
	req, tenant := r.req, r.tenantOf[id]
	if own, there := r.own[id]; there && r.now.Before(own.until) {
		req.PerSubscription = own.limit
	}
	limit := req.Limit(h)
	switch {
	case limit > 0 && r.sub[id] >= limit:
		return fmt.Sprintf("the limit of %d of the subscription", limit)
	case !r.req.Room(h.Class(), &r.class):
		return "the limit of " + classNames[h.Class()]
	case r.req.PerTenant > 0 && tenant != "" && r.tenant[tenant] >= r.req.PerTenant:
		return "PerTenant"
	case r.req.PerHost > 0 && r.hosts[r.hostOf[id]] >= r.req.PerHost:
		return "PerHost"
	}
	return ""
}

// check checks that a claim took what it may and must of all that was due: within the limits, as
// much as they allow, in order, and in turns of classes. Which subscriptions of a class come first
// goes by the time that their leases took, which differs from one store to another.
func (r *room) check(c *check.Driver, got, all []store.Claim) {
	due := make(map[string][]store.Claim)
	for _, cl := range all {
		due[cl.SubscriptionID] = append(due[cl.SubscriptionID], cl)
	}
	took, of := check.PerSubscription(got), [store.Classes]int{}
	for _, cl := range got {
		if !slices.ContainsFunc(due[cl.SubscriptionID], func(a store.Claim) bool {
			return sameDelivery(a.Lease, cl.Lease)
		}) {
			c.Errorf("claim: got %s for %s, which is not due", cl.EventID, cl.SubscriptionID)
		}
		if limit := r.full(cl.SubscriptionID, cl.Health); limit != "" {
			c.Errorf("claim: got %s for %s, beyond %s", cl.EventID, cl.SubscriptionID, limit)
		}
		r.add(cl.SubscriptionID, cl.Health.Class(), 1)
		of[cl.Health.Class()]++
	}
	if len(got) > max(0, r.req.Max) {
		c.Errorf("claims: got %d, want at most %d", len(got), r.req.Max)
	}
	for id, claims := range due {
		h := claims[0].Health
		if took[id] < len(claims) && r.full(id, h) == "" {
			r.checkTurn(c, id, h.Class(), len(got), of)
		}
		first, want := r.firstAttempts(got, id), r.firstAttempts(claims, id)
		c.SameIDs("first attempts of "+id, first, want[:min(len(first), len(want))])
	}
}

// checkTurn checks a claim that ended while more of a subscription could have been taken, and so
// could all the time: it is full, and no class had another turn before that of this one.
func (r *room) checkTurn(c *check.Driver, id string, class store.Class, got int,
	of [store.Classes]int) {
	if got < r.req.Max {
		c.Errorf("claims: got %d, and not all that is due of %s", got, id)
	}
	for other, n := range of {
		if !r.shards && n > of[class]+1 {
			c.Errorf("turns: got %d of %s, and %d of %s with more to give", n, classNames[other],
				of[class], classNames[class])
		}
	}
}

// firstAttempts returns the events whose first attempt is claimed for the subscription in the order
// of Enqueue.
func (r *room) firstAttempts(claims []store.Claim, subscriptionID string) []string {
	var ids []string
	for _, cl := range claims {
		if cl.SubscriptionID == subscriptionID && cl.Attempt == 1 &&
			!r.requeued[delivery{subscriptionID, cl.EventID}] {
			ids = append(ids, cl.EventID)
		}
	}
	return ids
}
