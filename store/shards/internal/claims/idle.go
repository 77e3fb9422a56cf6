package claims

import (
	"time"

	"github.com/outhook/outhook/store"
)

// idleness says that a store had nothing for a request. That holds until Ready or NextDue says
// otherwise, for requests that allow no more.
type idleness struct {
	is     bool
	limits limits
}

// limits are what a request allows of what may be leased at once.
type limits struct {
	perSubscription, perTenant, perHost        int
	maxUnhealthy, maxFailing, breakerThreshold int
}

func limitsOf(req *store.ClaimRequest) limits {
	return limits{
		req.PerSubscription, req.PerTenant, req.PerHost,
		req.MaxUnhealthy, req.MaxFailing, req.BreakerThreshold,
	}
}

// cover reports whether o allows nothing that l does not. A probe may take what is not due yet, so
// the threshold must be the same.
func (l limits) cover(o limits) bool {
	// Zero is no limit.
	within := func(limit, other int) bool { return limit == 0 || other != 0 && other <= limit }
	return within(l.perSubscription, o.perSubscription) && within(l.perTenant, o.perTenant) &&
		within(l.perHost, o.perHost) && within(l.maxUnhealthy, o.maxUnhealthy) &&
		within(l.maxFailing, o.maxFailing) && l.breakerThreshold == o.breakerThreshold
}

// hasNothing reports whether it is known without asking that the store has nothing for a request.
// So a Claim costs nothing for stores with nothing to do, however many there are.
func (c *claimer) hasNothing(req *store.ClaimRequest) bool {
	return c.idle.is && len(c.pauses) == 0 && c.failed == nil && !c.HasStirred() &&
		(c.nextDue.IsZero() || time.Now().Before(c.nextDue)) && c.idle.limits.cover(limitsOf(req))
}

// shortage returns what may have kept back what a request has not got, going by what is leased now.
func (c *claimer) shortage(req *store.ClaimRequest) shortage {
	return shortage{
		is: true,
		unhealthy: req.MaxUnhealthy > 0 &&
			c.leased.Unhealthy+req.Elsewhere.Unhealthy >= req.MaxUnhealthy,
		failing: req.MaxFailing > 0 && c.leased.Failing+req.Elsewhere.Failing >= req.MaxFailing,
	}
}

// due notes when something falls due, as an answer says. again says that the store has answered
// this Claim before: then a lease that this Claim has taken is no news.
func (c *claimer) due(wait, lease time.Duration, again bool) {
	at := time.Time{}
	if wait != store.NoneDue {
		at = time.Now().Add(wait)
	}
	switch {
	case !again:
		c.nextDue = at
	case wait < lease && (c.nextDue.IsZero() || at.Before(c.nextDue)):
		c.nextDue = at
	}
}

// leaseEnds notes when leases end that have just been taken, of which the store says nothing before
// it is asked again.
func (c *claimer) leaseEnds(at time.Time) {
	if c.nextDue.IsZero() || at.Before(c.nextDue) {
		c.nextDue = at
	}
}

// wait returns for how long there is nothing to claim from the store, or nothing to say of it.
func (c *claimer) wait() time.Duration {
	var until time.Time
	switch {
	case len(c.held) > 0:
		return 1 // Max left no room for them
	case c.call != nil && c.told:
		return store.NoneDue // Ready says when it has answered
	case c.call != nil:
		until = c.call.began.Add(hangs)
	case c.failed != nil:
		until = c.retryAt
	default:
		until = c.nextDue
	}
	if until.IsZero() {
		return store.NoneDue
	}
	return max(time.Until(until), 1) // at once, if Max left no room to ask the store
}
