package shards

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// Claim implements [store.Queue]. The package comment says how the shards share a request.
func (s *Store) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	if err := req.Validate(); err != nil {
		return store.ClaimResult{}, fmt.Errorf("shards: claim: %w", err)
	}
	if err := s.begin(ctx); err != nil {
		return store.ClaimResult{}, fmt.Errorf("shards: claim: %w", err)
	}
	if len(s.shards) == 1 {
		return s.shards[0].Claim(ctx, req)
	}
	select {
	case s.claiming <- struct{}{}:
		defer func() { <-s.claiming }()
	case <-ctx.Done():
		return store.ClaimResult{}, fmt.Errorf("shards: claim: %w", ctx.Err())
	}
	r := &round{
		Store: s, req: req, parts: make(map[*shard]*part, len(s.shards)),
	}
	for _, sh := range s.shards {
		r.parts[sh] = &part{}
	}
	return r.run(ctx)
}

// round is one Claim. It holds Store.claiming.
type round struct {
	*Store
	req     store.ClaimRequest
	got     []store.Claim
	parts   map[*shard]*part
	trouble []error
	limited bool // a limit that the shards share kept something back
	counted bool // the shards have said what they have leased, and share what the limits leave
}

// part is what one shard has to do with a round.
type part struct {
	spent   bool          // it has no more, or can't be asked
	yielded int           // how many claims
	last    shortage      // of its last answer
	surplus []store.Lease // claims that are not to be handed out
}

// shortage says whether a shard has yielded less than it was asked for, and which of the limits
// that the shards share may have kept something of it back.
type shortage struct{ is, unhealthy, failing bool }

func (r *round) run(ctx context.Context) (store.ClaimResult, error) {
	r.takePauses()
	for _, sh := range r.shards {
		r.collect(sh)
	}
	for _, sh := range r.shards {
		r.parts[sh].spent = r.parts[sh].spent || r.req.Max > 0 && sh.hasNothing(&r.req)
	}
	if r.req.Max <= 0 || r.nearLimits() {
		r.count(ctx)
		r.counted = true
	}
	// Each step yields something, or spends a shard, but for some in which the one that had the
	// turn at what is left of a limit did not want it: the turn goes round.
	for vain := 0; r.left() > 0 && vain <= len(r.shards); {
		asked, yield := r.step(ctx)
		if asked == 0 {
			break
		}
		if yield == 0 {
			vain++
		}
	}
	r.giveBack(ctx)
	r.Store.limited.Store(r.limited)
	result, err := r.result()
	for sh, p := range r.parts {
		if p.yielded > 0 {
			sh.claims.leaseEnds(time.Now().Add(r.req.Lease))
		}
	}
	return result, err
}

// left returns how much more the request allows.
func (r *round) left() int { return r.req.Max - len(r.got) }

// takePauses has each shard told of the pauses with its next call, which is the first that could
// claim more. What a slow shard has claimed before is not handed out.
func (r *round) takePauses() {
	for _, p := range r.req.Pauses {
		to := r.shards
		if sh := r.where.find(p.SubscriptionID); sh != nil {
			to = []*shard{sh}
		}
		for _, sh := range to {
			sh.claims.pauses = append(sh.claims.pauses, p)
			if p.For > 0 {
				sh.claims.changed(p.SubscriptionID)
			}
		}
	}
}

// collect takes in what a shard has answered since the last Claim, and hands out what it held.
func (r *round) collect(sh *shard) {
	c := &sh.claims
	if call := c.call; call != nil {
		a, ok := c.late()
		switch {
		case ok:
			claims := r.take(sh, a, 0)
			until := call.began.Add(call.req.Lease - r.req.Lease + r.req.Lease/lateShare)
			if len(claims) > 0 {
				c.held = append(c.held, heldClaims{claims, until})
			}
			// Asked again now it would answer late again, have Ready say so, and be asked again,
			// for nothing each time.
			if p := r.parts[sh]; p.last.is && !sh.hasStirred() {
				p.spent = true
			}
		case !c.told && time.Since(call.began) > hangs:
			c.told = true
			r.trouble = append(r.trouble, &Error{sh.index, errHangs})
		}
	}
	if told := sh.trouble.Swap(nil); told != nil {
		r.trouble = append(r.trouble, told)
	}
	r.handHeld(sh)
	c.rest()
}

var errHangs = fmt.Errorf("a claim has not returned for %v", hangs)

// handHeld hands out what came late, as much as there is room for, and has given back what is too
// old or has changed since.
func (r *round) handHeld(sh *shard) {
	c, p := &sh.claims, r.parts[sh]
	outdated := c.outdated()
	var keep []heldClaims
	for _, h := range c.held {
		isOld := time.Now().After(h.until)
		var rest []store.Claim
		for i := range h.claims {
			cl := &h.claims[i]
			switch {
			case isOld || outdated(cl):
				p.surplus = append(p.surplus, cl.Lease)
			case r.left() <= 0:
				rest = append(rest, *cl)
			default:
				r.hand(sh, cl)
			}
		}
		if len(rest) > 0 {
			keep = append(keep, heldClaims{rest, h.until})
		}
	}
	c.held = keep
}

// hand hands out a claim, unless its host has as many in all shards as it may.
func (r *round) hand(sh *shard, cl *store.Claim) {
	if !r.leases.add(sh, cl, r.req.PerHost, r.req.Lease) {
		p := r.parts[sh]
		p.surplus = append(p.surplus, cl.Lease)
		sh.claims.pauses = append(sh.claims.pauses,
			store.Pause{SubscriptionID: cl.SubscriptionID, For: hostPause})
		r.limited = true
		return
	}
	r.where.remember(cl.SubscriptionID, sh)
	r.got = append(r.got, *cl)
}

// take takes in an answer and returns its claims.
func (r *round) take(sh *shard, a claimAnswer, lease time.Duration) []store.Claim {
	c, p, req := &sh.claims, r.parts[sh], &sh.claims.call.req
	claims := c.take(a)
	p.last = shortage{}
	if a.err != nil {
		r.trouble = append(r.trouble, sh.wrap(a.err))
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

// mayAsk reports whether a shard can be asked now: it has no call under way, and has not failed a
// moment ago.
func (r *round) mayAsk(sh *shard) bool {
	c := &sh.claims
	return !r.parts[sh].spent && c.call == nil &&
		(c.failed == nil || !time.Now().Before(c.retryAt))
}

// nearLimits reports whether this Claim may come to a limit that the shards share, if nothing that
// is leased is healthy. As a rule it can't, and the shards need not be asked twice.
func (r *round) nearLimits() bool {
	most := r.leases.count() + r.left()
	for _, sh := range r.shards {
		c := &sh.claims
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

// count has the shards say what they have leased, so that they can share what is left of a limit. A
// slow one would be asked nothing else then: what it said last must do, and it counts for itself.
func (r *round) count(ctx context.Context) {
	var all []asking
	for _, sh := range r.shards {
		if r.mayAsk(sh) && (!sh.claims.isSlow || r.req.Max <= 0) {
			req := r.req
			req.Max = 0
			all = append(all, asking{sh: sh, req: req})
		}
	}
	r.askAll(ctx, all)
}

// asking is what a shard is asked for.
type asking struct {
	sh      *shard
	req     store.ClaimRequest
	granted store.Leased // what more it may lease of what the shards share
}

// askAll asks shards at the same time, waits for those that are quick, and hands out what they
// yield. It returns how much each has yielded; -1 if it has not answered, or failed.
func (r *round) askAll(ctx context.Context, all []asking) []int {
	for i := range all {
		all[i].sh.claims.granted = all[i].granted
		r.ask(all[i].sh, all[i].req)
	}
	yields := make([]int, len(all))
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for _, slow := range []bool{false, true} { // the quick ones are waited for first
		for i := range all {
			if c := &all[i].sh.claims; c.isSlow == slow && c.call != nil {
				yields[i] = r.await(ctx, all[i].sh, timer)
			}
		}
	}
	return yields
}

// await takes in what a shard has answered when the timer ends at the latest, and returns how much
// it has yielded.
func (r *round) await(ctx context.Context, sh *shard, timer *time.Timer) int {
	c := &sh.claims
	a, ok := c.await(ctx, timer)
	if !ok {
		c.isSlow, r.parts[sh].spent = true, true
		return -1
	}
	claims := r.take(sh, a, r.req.Lease)
	for i := range claims {
		r.hand(sh, &claims[i])
	}
	c.rest()
	if a.err != nil {
		return -1
	}
	return len(claims)
}

// giveBack releases what was claimed and is not handed out. Its subscriptions are paused first, if
// it is for their host: otherwise Ready would say that they can be claimed again, and they would
// be, over and over.
func (r *round) giveBack(ctx context.Context) {
	for _, sh := range r.shards {
		p := r.parts[sh]
		if len(p.surplus) == 0 {
			continue
		}
		if c := &sh.claims; len(c.pauses) > 0 && c.call == nil {
			r.askAll(ctx, []asking{{sh: sh, req: store.ClaimRequest{Lease: r.req.Lease}}})
		}
		r.start(func() { _ = r.release(r.life, sh, p.surplus) })
	}
}

// result returns what the Claim has come to. It is an error if no shard works.
func (r *round) result() (store.ClaimResult, error) {
	result := store.ClaimResult{Claims: r.got, NextDue: store.NoneDue}
	var failures []error
	closed := true
	for _, sh := range r.shards {
		c := &sh.claims
		result.Leased.Unhealthy += c.leased.Unhealthy
		result.Leased.Failing += c.leased.Failing
		result.NextDue = min(result.NextDue, c.wait())
		if c.call == nil && c.failed != nil {
			failures = append(failures, sh.wrap(c.failed))
			closed = closed && errors.Is(c.failed, store.ErrClosed)
		}
	}
	switch {
	case len(r.got) > 0 || len(failures) < len(r.shards):
		result.Trouble = errors.Join(r.trouble...)
		return result, nil
	case closed:
		return store.ClaimResult{}, fmt.Errorf("shards: claim: all stores: %w", store.ErrClosed)
	}
	return store.ClaimResult{}, fmt.Errorf("shards: claim: all stores fail: %w",
		errors.Join(failures...))
}

// wait returns for how long there is nothing to claim from the shard, or nothing to say of it.
func (c *claimer) wait() time.Duration {
	var until time.Time
	switch {
	case len(c.held) > 0:
		return 1
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
	return max(time.Until(until), 1) // at once, if Max left no room to ask the shard
}
