package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/store"
)

const (
	sealedPause  = time.Minute // for a subscription whose secrets did not open
	crowdedPause = time.Second // for a subscription all of whose attempts are under way
)

// claimLoop claims and starts attempts until ctx ends, or the store is closed.
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
		case err != nil && ctx.Err() == nil:
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
// or when ctx ends.
func (r *run) wait(ctx context.Context, d time.Duration) {
	var due <-chan time.Time
	if d != store.NoneDue {
		timer := time.NewTimer(d)
		defer timer.Stop()
		due = timer.C
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
	unhealthy := (r.Concurrency + 1) / 2
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
		})
	})
	if err != nil {
		r.tickets.issue(nil)
		return 0, 0, err
	}
	admitted, off := r.screen(got.Claims)
	r.tickets.issue(admitted)
	for _, c := range admitted {
		// Each is in memory of its own: a slow attempt must not keep the bodies of all that were
		// claimed with it.
		r.start(&ticket{claim: c, epoch: epoch})
	}
	return len(got.Claims), got.NextDue, r.postpone(ctx, off)
}

// postponed are claims that must not be attempted now.
type postponed struct {
	leases []store.Lease
	pauses map[string]time.Duration // by subscription, for how long nothing more of it is claimed
}

// screen parts claims into those whose attempts may start now, and those of subscriptions that must
// wait. What follows a postponed claim of its subscription is postponed too, so that they stay in
// order.
func (r *run) screen(claims []store.Claim) ([]store.Claim, postponed) {
	admitted, now := claims, time.Now()
	var off postponed
	for i := range claims {
		c := &claims[i]
		d, stopped := off.pauses[c.SubscriptionID]
		if !stopped {
			d = r.mustWait(&c.Subscription, now)
		}
		switch {
		case d > 0:
			if off.pauses == nil { // the usual case, that none is postponed, copies nothing
				admitted = slices.Clone(claims[:i])
				off.pauses = make(map[string]time.Duration)
			}
			off.leases = append(off.leases, c.Lease)
			off.pauses[c.SubscriptionID] = d
		case off.pauses != nil:
			admitted = append(admitted, *c)
		}
	}
	return admitted, off
}

// mustWait returns how long a subscription's next attempt must wait; zero if it may start.
func (r *run) mustWait(sub *store.Subscription, now time.Time) time.Duration {
	if send.IsSealed(sub) {
		r.storeTrouble("open", send.SealedError(sub.ID))
		return sealedPause
	}
	if r.tickets.crowded(sub.ID, r.PerSubscription) {
		return crowdedPause
	}
	if r.limiter == nil {
		return 0
	}
	return r.limiter.take(sub, now) // last, as it takes a token
}

// postpone pauses subscriptions, so that claiming goes on with others, and releases their claims.
// It is done when it returns: if more of a subscription were claimed before the release, the
// released ones would come after them.
func (r *run) postpone(ctx context.Context, off postponed) error {
	if len(off.leases) == 0 {
		return nil
	}
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(off.pauses)) {
		err := protectErr(func() error { return r.Store.Pause(ctx, id, off.pauses[id]) })
		errs = append(errs, err)
	}
	_, err := persist(ctx, r, "release", func(rest context.Context) (struct{}, error) {
		// Run may be about to end, and waits for this.
		rest, cancel := context.WithTimeout(rest, storeGrace)
		defer cancel()
		return struct{}{}, r.Store.Release(rest, off.leases...)
	})
	return errors.Join(append(errs, err)...)
}
