package claims

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
)

// hostPause is for how long a subscription is not claimed whose host has all that PerHost allows,
// in several stores together.
const hostPause = 100 * time.Millisecond

// asking is what a store is asked for.
type asking struct {
	*claimer
	req     store.ClaimRequest
	granted store.Leased // what more it may lease of what the stores share
}

// mayAsk reports whether a store can be asked now: it has no call under way, and has not failed a
// moment ago.
func (r *round) mayAsk(c *claimer) bool {
	return !r.part(c).spent && c.call == nil &&
		(c.failed == nil || !time.Now().Before(c.retryAt))
}

// askAll asks stores at the same time, waits for those that are quick, and hands out what they
// yield. It returns how much each has yielded; -1 if it has not answered, or failed.
func (r *round) askAll(ctx context.Context, all []asking) []int {
	for i := range all {
		// What is granted counts as leased while the call is under way, also for later rounds.
		a := &all[i]
		a.claimer.granted = a.granted
		r.ask(a.claimer, a.req)
	}
	yields := make([]int, len(all))
	timer := time.NewTimer(patience) // for all together
	defer timer.Stop()
	// The quick ones first: while they are waited for, a slow one may happen to answer.
	for _, slow := range []bool{false, true} {
		for i := range all {
			if c := all[i].claimer; c.isSlow == slow && c.call != nil {
				yields[i] = r.await(ctx, c, timer)
			}
		}
	}
	return yields
}

// await takes in what a store has answered when the timer ends at the latest, and returns how much
// it has yielded.
func (r *round) await(ctx context.Context, c *claimer, timer *time.Timer) int {
	a, ok := c.await(ctx, timer)
	if !ok { // a later round collects it
		c.isSlow, r.part(c).spent = true, true
		return -1
	}
	claims := r.take(c, a, r.req.Lease)
	for i := range claims {
		r.hand(c, &claims[i])
	}
	c.rest() // it was in time, so no claim is left that a change could be about
	if a.err != nil {
		return -1
	}
	return len(claims)
}

// take takes in an answer and returns its claims.
func (r *round) take(c *claimer, a claimAnswer, lease time.Duration) []store.Claim {
	p, req := r.part(c), &c.call.req
	claims := c.take(a)
	p.last = shortage{} // of the answer before, which says nothing any more
	if a.err != nil {
		r.trouble = append(r.trouble, c.Wrap(a.err))
		p.spent = true
		return nil
	}
	c.due(a.result.NextDue, lease, p.yielded > 0)
	p.yielded += len(claims)
	if len(claims) < req.Max {
		p.last = c.shortage(req)
		// It has nothing else; or nothing that the limits leave room for.
		c.idle = idleness{!p.last.unhealthy && !p.last.failing, limitsOf(req)}
		r.limited = r.limited || !c.idle.is
	}
	return claims
}

// hand hands out a claim, unless its host has as many in all stores as it may.
func (r *round) hand(c *claimer, cl *store.Claim) {
	if !r.leases.add(c.index, cl, r.req.PerHost, r.req.Lease) {
		p := r.part(c)
		// The store does not know of the attempts of others to that host, and would yield the same
		// again.
		p.surplus = append(p.surplus, cl.Lease)
		c.pauses = append(c.pauses, store.Pause{SubscriptionID: cl.SubscriptionID, For: hostPause})
		r.limited = true
		return
	}
	r.Found(cl.SubscriptionID, c.index)
	r.got = append(r.got, *cl)
}

// releaseSurplus gives back what was claimed and is not handed out. Its subscriptions are paused
// first, if it is for their host: otherwise Ready would say that they can be claimed again, and
// they would be, over and over.
func (r *round) releaseSurplus(ctx context.Context) {
	for _, c := range r.claimers {
		p := r.part(c)
		if len(p.surplus) == 0 {
			continue
		}
		if len(c.pauses) > 0 && c.call == nil {
			r.askAll(ctx, []asking{{claimer: c, req: store.ClaimRequest{Lease: r.req.Lease}}})
		}
		c.ReleaseLater(p.surplus)
	}
}
