package dispatcher

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
)

// postponed are claims that must not be attempted now.
type postponed struct {
	leases []store.Lease
	pauses map[string]time.Duration // by subscription, how long nothing more of it is claimed
}

// crowdedPause is how long a subscription is left alone that has all its attempts under way, and then some.
const crowdedPause = time.Second

// admit parts claims into those whose attempts may start now and those that are put off: past their subscription's rate
// limit, sealed, or of a subscription whose attempts don't end. Of one subscription, what follows one that is put off is put off too.
func (r *run) admit(claims []store.Claim) ([]store.Claim, postponed) {
	admitted, now := claims, time.Now()
	var off postponed
	for i := range claims {
		c := &claims[i]
		d, stopped := off.pauses[c.SubscriptionID]
		if !stopped {
			d = r.postpone(&c.Subscription, now)
		}
		switch {
		case d > 0:
			if off.pauses == nil {
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

// postpone returns how long a subscription's next attempt must wait; zero when it may start.
func (r *run) postpone(sub *store.Subscription, now time.Time) time.Duration {
	if isSealed(sub) {
		r.storeTrouble("open", sealedError(sub.ID))
		return sealedPause
	}
	if r.crowded(sub) {
		return crowdedPause
	}
	if r.limiter == nil {
		return 0
	}
	return r.limiter.take(sub, now)
}

// putOff pauses subscriptions, so that claiming goes on with others, and gives their claims back. It is done when it
// returns: claims are given back before others of the same subscription are claimed, which keeps their order.
func (r *run) putOff(ctx context.Context, off postponed) error {
	if len(off.leases) == 0 {
		return nil
	}
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(off.pauses)) {
		_, err := protect(func() (struct{}, error) { return struct{}{}, r.store.Pause(ctx, id, off.pauses[id]) })
		errs = append(errs, err)
	}
	_, err := persist(ctx, r, "release", func(rest context.Context) (struct{}, error) {
		rest, cancel := context.WithTimeout(rest, storeGrace) // Run may be about to end, which waits for this
		defer cancel()
		return struct{}{}, r.store.Release(rest, off.leases...)
	})
	return errors.Join(append(errs, err)...)
}
