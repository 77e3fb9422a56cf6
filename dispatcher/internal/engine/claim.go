package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/store"
)

const (
	// sealedPause is for a subscription whose secrets did not open. Each try is an error in the
	// host's log and a claim for nothing, and only a key that the host gives can help.
	sealedPause = time.Minute

	// crowdedPause is for a subscription all of whose attempts are under way. Those have outlasted
	// their leases, so nobody knows when one will return.
	crowdedPause = time.Second
)

// claimLoop claims and starts attempts until ctx ends, or the store is closed. It holds a free slot
// before it claims: a claim without one would wait here while its lease runs, and another replica
// could not have it. While the store is in trouble it claims ever more seldom.
func (r *run) claimLoop(ctx context.Context) error {
	var trouble backoff
	for ctx.Err() == nil {
		// Workers that are about to end make room, and the call can then fetch more at once.
		runtime.Gosched()
		free := r.tickets.free()
		if free == 0 {
			r.wait(ctx, store.NoneDue)
			continue
		}
		limit, wait := r.outage.mayClaim(free, time.Now())
		if limit == 0 {
			r.wait(ctx, wait)
			continue
		}
		n, wait, err := r.claim(ctx, limit)
		switch {
		case errors.Is(err, store.ErrClosed):
			return fmt.Errorf("dispatcher: run: %w", err)
		case err != nil && ctx.Err() == nil: // else it is most likely the end of ctx
			r.storeTrouble("claim", err)
			trouble.wait(ctx)
		case err == nil:
			trouble.reset()
			r.outage.claimed(n, time.Now())
			if n < limit { // else there may be more
				r.wait(ctx, wait)
			}
		}
	}
	return nil
}

// wait returns when there may be something to claim: after d, when the store or a ticket says so,
// or when ctx ends. It may return for nothing, since the one slot of a channel can be filled by
// what the last claim has taken already; then the next claim finds nothing and says how long to
// wait.
func (r *run) wait(ctx context.Context, d time.Duration) {
	var due <-chan time.Time
	if d != store.NoneDue {
		// One timer for all waits: something is due later nearly always, as a retry is, and then each
		// attempt comes with a wait.
		if r.timer == nil {
			r.timer = time.NewTimer(d)
		} else {
			r.timer.Reset(d)
		}
		defer r.timer.Stop()
		due = r.timer.C
	}
	select {
	case <-ctx.Done():
	case <-r.ready:
	case <-r.tickets.freed:
	case <-due:
	}
}

// claim takes up to max deliveries and starts their attempts. It returns how many the store gave,
// and how long it is until more falls due.
func (r *run) claim(ctx context.Context, max int) (n int, wait time.Duration, err error) {
	// Before the call: a change that is stored while it runs must count as newer than its claims.
	epoch := r.tickets.begin()
	// Half of the slots are for healthy, quick subscriptions alone; failing ones get three quarters
	// of the other half. Both are rounded up, so that with one slot everybody gets a turn.
	unhealthy := (r.Concurrency + 1) / 2
	pauses := r.pauses.request(time.Now())
	for id, limit := range r.limits {
		pauses = append(pauses, store.Pause{SubscriptionID: id, For: limitFor, Limit: limit})
	}
	got, err := protect(func() (store.ClaimResult, error) {
		return r.Store.Claim(ctx, store.ClaimRequest{
			Max:              max,
			Lease:            r.Lease,
			PerSubscription:  r.PerSubscription,
			PerTenant:        r.PerTenant,
			PerHost:          r.PerHost,
			MaxUnhealthy:     unhealthy,
			MaxFailing:       (3*unhealthy + 3) / 4,
			BreakerThreshold: r.BreakerThreshold,
			Pauses:           pauses,
		})
	})
	if err != nil {
		// This ends the call for the fence too, which would otherwise keep every change from now
		// on. The pauses stay, because they may not be in force.
		r.tickets.issue(nil)
		return 0, 0, err
	}
	if got.Trouble != nil { // with a part of the store: the claims are those of the others
		r.storeTrouble("claim", got.Trouble)
	}
	clear(r.pauses) // the store has them now
	clear(r.limits)
	s := r.screen(got.Claims)
	tickets := make([]*ticket, len(s.admitted))
	for i := range s.admitted {
		// Each is in memory of its own: a slow attempt must not keep the bodies of all that were
		// claimed with it.
		k := &ticket{claim: s.admitted[i], epoch: epoch, policy: r.Defaults}
		if r.policies != nil {
			k.policy = s.policies[i]
		}
		tickets[i] = k
	}
	// Before any of them is started: the phases of a ticket are counted from here.
	r.tickets.issue(tickets)
	for i, k := range tickets {
		tickets[i] = nil // nor must it keep the others
		r.start(k)
	}
	// The store does not know yet of pauses that have just begun, and what ends with them.
	wait = min(got.NextDue, r.pauses.shortest(time.Now()))
	return len(got.Claims), wait, r.postpone(ctx, s.postponed)
}

// pauses are the subscriptions that nothing is to be claimed of, and until when. They go to the
// store with the next Claim, which is the first that could claim more of them.
type pauses map[string]time.Time

// request returns the pauses as they are at a time. Those that are over are left out.
func (p pauses) request(now time.Time) []store.Pause {
	var list []store.Pause
	for id, until := range p {
		if d := until.Sub(now); d > 0 {
			list = append(list, store.Pause{SubscriptionID: id, For: d})
		}
	}
	return list
}

// shortest returns how long the first of the pauses still lasts.
func (p pauses) shortest(now time.Time) time.Duration {
	d := store.NoneDue
	for _, until := range p {
		d = min(d, max(until.Sub(now), 0))
	}
	return d
}

// screened are the claims of one call, parted into those whose attempts may start now and those of
// subscriptions that must wait.
type screened struct {
	admitted  []store.Claim
	policies  []*Policy // of the admitted ones; none if all have that of the Config
	postponed []store.Lease

	count map[string]int // admitted ones by subscription; nil unless a policy says how many
}

// screen parts claims, and pauses the subscriptions that must wait. What follows a postponed claim
// of its subscription is postponed too, so that they stay in order. No pauses are left from the
// Claim before.
func (r *run) screen(claims []store.Claim) screened {
	now := time.Now()
	s := r.keptScreened()
	s.admitted = claims
	for i := range claims {
		c := &claims[i]
		policy := r.Defaults
		_, stopped := r.pauses[c.SubscriptionID]
		if !stopped {
			var d time.Duration
			if policy, d, stopped = r.mustWait(c.Subscription, &s, now); stopped {
				r.pauses[c.SubscriptionID] = now.Add(d)
			}
		}
		switch {
		case stopped:
			if s.postponed == nil { // the usual case, that none is postponed, copies nothing
				s.admitted = slices.Clone(claims[:i])
			}
			s.postponed = append(s.postponed, c.Lease)
			continue
		case s.postponed != nil:
			s.admitted = append(s.admitted, *c)
		}
		if r.policies != nil {
			s.policies = append(s.policies, policy)
		}
	}
	r.kept = screened{policies: s.policies, count: s.count}
	return s
}

// maxKept is how many entries of screened are kept: to empty a map takes as long as it ever had
// entries.
const maxKept = 4096

// keptScreened returns the memory of the last screened, emptied, so that a claim allocates none. It
// is in use until the next call of screen.
func (r *run) keptScreened() screened {
	if len(r.kept.policies) > maxKept {
		return screened{}
	}
	clear(r.kept.policies) // of policies that nobody has any more
	clear(r.kept.count)
	return screened{policies: r.kept.policies[:0], count: r.kept.count}
}

// mustWait returns the policy of a subscription, and whether its next attempt must wait, and for
// how long. It may block for some milliseconds, in which the host is asked; see asker.
func (r *run) mustWait(sub *store.Subscription, s *screened, now time.Time) (
	p *Policy, wait time.Duration, must bool,
) {
	if sub.SealedWith != "" {
		r.storeTrouble("open", send.SealedError(sub))
		return nil, sealedPause, true
	}
	if r.policies == nil {
		crowded := r.tickets.crowded(sub.ID, r.PerSubscription)
		return r.Defaults, crowdedPause, crowded
	}
	p, tell, wait := r.policies.of(sub, now)
	if p == nil {
		return nil, wait, true
	}
	if tell > 0 {
		r.limits[sub.ID] = tell
	}
	if r.tickets.crowded(sub.ID, p.PerSubscription-s.count[sub.ID]) {
		if tell > 0 {
			// The store did not know of the limit. It will with the next Claim, and need not be
			// kept from it.
			return nil, 0, true
		}
		return nil, crowdedPause, true
	}
	// Last, as it takes a token: an attempt that had to wait for another reason would have paid for
	// nothing.
	if wait := r.limiter.take(sub.ID, p, now); wait > 0 {
		return nil, wait, true
	}
	if s.count == nil {
		s.count = make(map[string]int)
	}
	s.count[sub.ID]++
	return p, 0, false
}

// postpone releases claims that must wait. It is done when it returns: if more of a subscription
// were claimed before the release, the released ones would come after them.
func (r *run) postpone(ctx context.Context, postponed []store.Lease) error {
	if len(postponed) == 0 {
		return nil
	}
	_, err := persist(ctx, r, "release", func(rest context.Context) (struct{}, error) {
		// Run may be about to end, and waits for this. The grace of drain has not begun, as it is
		// claimLoop that calls.
		rest, cancel := context.WithTimeout(rest, storeGrace)
		defer cancel()
		return struct{}{}, r.Store.Release(rest, postponed...)
	})
	return err
}
