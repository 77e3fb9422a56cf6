package dispatcher

import (
	"sync"
	"time"
)

// rates holds calls to so many in a minute. It is the generic cell rate algorithm: of each rate it
// keeps the time at which all of the rate is available again. A rate that has that behind it is
// forgotten, so memory holds those that were used within a minute or so.
type rates struct {
	mu      sync.Mutex
	fullAt  map[rateKey]time.Time
	sweepAt int // when fullAt has so many, those that are available in full are dropped
}

type rateKey struct {
	kind QuotaKind
	of   string // a tenant, or the ID of a subscription
}

// rateOf is a rate that a call uses.
type rateOf struct {
	kind      QuotaKind
	of        string
	perMinute int // no limit if negative
	burst     int
}

// firstSweep is how many rates are kept before the first look at which can go.
const firstSweep = 1024

func newRates() *rates {
	return &rates{fullAt: make(map[rateKey]time.Time), sweepAt: firstSweep}
}

// take uses each of the rates once, or none: then it returns a *QuotaError for the one that is
// available last.
func (r *rates) take(tenant string, all ...rateOf) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	var refused *QuotaError
	fullAt := make([]time.Time, len(all))
	for i, rate := range all {
		if rate.perMinute < 0 {
			continue
		}
		interval := time.Minute / time.Duration(rate.perMinute)
		at := r.fullAt[rateKey{rate.kind, rate.of}]
		if at.Before(now) {
			at = now
		}
		fullAt[i] = at.Add(interval)
		wait := fullAt[i].Sub(now) - time.Duration(rate.burst)*interval
		if wait > 0 && (refused == nil || wait > refused.RetryAfter) {
			refused = &QuotaError{tenant, rate.kind, rate.perMinute, wait}
		}
	}
	if refused != nil {
		return refused
	}
	for i, rate := range all {
		if rate.perMinute >= 0 {
			r.fullAt[rateKey{rate.kind, rate.of}] = fullAt[i]
		}
	}
	r.sweep(now)
	return nil
}

// sweep forgets the rates that are available in full. It looks at all of them only when there are
// twice as many as it left the last time, so each call pays for a few.
func (r *rates) sweep(now time.Time) {
	if len(r.fullAt) < r.sweepAt {
		return
	}
	for key, at := range r.fullAt {
		if !at.After(now) {
			delete(r.fullAt, key)
		}
	}
	r.sweepAt = max(firstSweep, 2*len(r.fullAt))
}
