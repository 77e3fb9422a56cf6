package claims

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// round is one Claim. It holds Claims.claiming.
type round struct {
	*Claims
	req     store.ClaimRequest
	got     []store.Claim
	parts   []part // by the index of the store
	trouble []error
	limited bool // a limit that the stores share kept something back
	counted bool // the stores have said what they have leased, and share what the limits leave
}

// part is what one store has to do with a round.
type part struct {
	spent   bool          // it has no more, or can't be asked
	yielded int           // how many claims
	last    shortage      // of its last answer
	surplus []store.Lease // claims that are not to be handed out
}

// shortage says whether a store has yielded less than it was asked for, and which of the limits
// that the stores share may have kept something of it back.
type shortage struct{ is, unhealthy, failing bool }

func (r *round) part(c *claimer) *part { return &r.parts[c.index] }

func (r *round) run(ctx context.Context) (store.ClaimResult, error) {
	// Before anything is asked or handed out: both must go by the pauses.
	r.takePauses()
	for _, c := range r.claimers {
		r.collect(c)
	}
	// After all have been collected: what came late may have filled the request.
	for _, c := range r.claimers {
		p := r.part(c)
		// A request of nothing asks all what they have leased.
		p.spent = p.spent || r.req.Max > 0 && c.hasNothing(&r.req)
	}
	if r.req.Max <= 0 || r.nearLimits() {
		r.count(ctx)
		r.counted = true
	}
	// Each step yields something, or spends a store, but for some in which the one that had the
	// turn at what is left of a limit did not want it: the turn goes round.
	for vain := 0; r.left() > 0 && vain <= len(r.claimers); {
		asked, yield := r.step(ctx)
		if asked == 0 {
			break
		}
		if yield == 0 {
			vain++
		}
	}
	r.releaseSurplus(ctx)
	r.Claims.limited.Store(r.limited)
	result, err := r.result()
	// After the result: to this Claim's caller its own leases are no news.
	for _, c := range r.claimers {
		if r.part(c).yielded > 0 {
			c.leaseEnds(time.Now().Add(r.req.Lease))
		}
	}
	return result, err
}

// left returns how much more the request allows.
func (r *round) left() int { return r.req.Max - len(r.got) }

// takePauses has each store told of the pauses with its next call, which is the first that could
// claim more. What a slow store has claimed before is not handed out.
func (r *round) takePauses() {
	for _, p := range r.req.Pauses {
		to := r.claimers
		if i, ok := r.Find(p.SubscriptionID); ok {
			to = r.claimers[i : i+1]
		}
		for _, c := range to {
			c.pauses = append(c.pauses, p)
			if p.For > 0 {
				c.changed(p.SubscriptionID)
			}
		}
	}
}

// nearLimits reports whether this Claim may come to a limit that the stores share, if nothing that
// is leased is healthy. As a rule it can't, and the stores need not be asked twice.
func (r *round) nearLimits() bool {
	// What is leased, what may yet be handed out in this round, and what slow stores may be leasing.
	most := r.leases.count() + r.left()
	for _, c := range r.claimers {
		if c.call != nil {
			most += c.call.req.Max
		}
		for _, h := range c.held {
			most += len(h.claims)
		}
	}
	is := func(limit, elsewhere int) bool { return limit > 0 && most+elsewhere > limit }
	return is(r.req.MaxUnhealthy, r.req.Elsewhere.Unhealthy) ||
		is(r.req.MaxFailing, r.req.Elsewhere.Failing)
}

// count has the stores say what they have leased, so that they can share what is left of a limit. A
// slow one would be asked nothing else then: what it said last must do, and it counts for itself.
func (r *round) count(ctx context.Context) {
	var all []asking
	for _, c := range r.claimers {
		if r.mayAsk(c) && (!c.isSlow || r.req.Max <= 0) {
			req := r.req
			req.Max = 0
			all = append(all, asking{claimer: c, req: req})
		}
	}
	r.askAll(ctx, all)
}

// result returns what the Claim has come to. It is an error if no store works.
func (r *round) result() (store.ClaimResult, error) {
	result := store.ClaimResult{Claims: r.got, NextDue: store.NoneDue}
	var failures []error
	closed := true
	for _, c := range r.claimers {
		result.Leased.Unhealthy += c.leased.Unhealthy
		result.Leased.Failing += c.leased.Failing
		result.NextDue = min(result.NextDue, c.wait())
		if c.call == nil && c.failed != nil {
			failures = append(failures, c.Wrap(c.failed))
			// A dispatcher stops at ErrClosed, so one store that is closed must not be taken for all.
			closed = closed && errors.Is(c.failed, store.ErrClosed)
		}
	}
	switch {
	case len(r.got) > 0 || len(failures) < len(r.claimers):
		result.Trouble = errors.Join(r.trouble...)
		return result, nil
	case closed:
		return store.ClaimResult{}, fmt.Errorf("all stores: %w", store.ErrClosed)
	}
	return store.ClaimResult{}, fmt.Errorf("all stores fail: %w", errors.Join(failures...))
}
