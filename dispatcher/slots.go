package dispatcher

import "github.com/outhook/outhook/store"

// The slots are what bounds Run: one for each claim whose attempt has not ended, Options.Concurrency in all.

// free returns how many slots are free, and notes when none is, so that release wakes claimUntil.
func (r *run) free() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.full = r.busy == r.o.Concurrency
	return r.o.Concurrency - r.busy
}

func (r *run) take(claims []store.Claim) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy += len(claims)
	for i := range claims {
		r.underWay[claims[i].SubscriptionID]++
	}
}

// over says that an attempt is over, before the store hears of it.
func (r *run) over(c *store.Claim) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := r.underWay[c.SubscriptionID] - 1; n > 0 {
		r.underWay[c.SubscriptionID] = n
	} else {
		delete(r.underWay, c.SubscriptionID)
	}
}

// crowded reports whether a subscription has as many attempts under way as it may have. The store, which counts leases,
// gives out more of it all the same when those attempts have outlasted theirs: a function of the host's does not return.
func (r *run) crowded(sub *store.Subscription) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.underWay[sub.ID] >= r.o.PerSubscription
}

func (r *run) release(n int) {
	r.mu.Lock()
	r.busy -= n
	waited := r.full
	r.full = false
	r.mu.Unlock()
	if waited {
		r.roomMade()
	}
}

// roomMade has claimUntil look again.
func (r *run) roomMade() {
	select {
	case r.freed <- struct{}{}:
	default:
	}
}
