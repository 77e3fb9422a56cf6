package engine

import (
	"math"
	"time"

	"golang.org/x/time/rate"
)

const (
	shortestPause = time.Millisecond // for a rate limit: the least that is worth a claim
	longestPause  = time.Hour        // after which it is looked at again
	minLimiters   = 1024             // so many are kept before idle ones are looked for
)

// limiter holds subscriptions to their rates. It belongs to claimLoop alone.
//
// It keeps a token bucket for each subscription that has had claims, and forgets buckets that are
// full. A new bucket begins with what one would have that has been there since Run began, with one
// token then. So it makes no difference whether a bucket was forgotten, and restarts don't give a
// burst each.
type limiter struct {
	since time.Time

	buckets map[string]*rate.Limiter
	sweepAt int // how many buckets there are when full ones are looked for
}

// newLimiter returns a limiter of a Run that begins now.
func newLimiter() *limiter {
	return &limiter{
		since:   time.Now(),
		buckets: make(map[string]*rate.Limiter),
		sweepAt: minLimiters,
	}
}

// take takes a token for an attempt of a subscription. If there is none, it returns how long to
// wait.
func (l *limiter) take(id string, p *Policy, now time.Time) time.Duration {
	limit := rate.Limit(p.Rate)
	if !(limit > 0) || limit > math.MaxInt32 { // no limit; NaN and rate.Inf too
		delete(l.buckets, id)
		return 0
	}
	b := l.bucket(id, limit, max(p.Burst, 1), now)
	if b.AllowN(now, 1) {
		return 0
	}
	// As a float to the end: with a limit near zero the wait is more than a Duration can hold.
	wait := (1 - b.TokensAt(now)) / float64(limit) * float64(time.Second)
	return time.Duration(min(max(wait, float64(shortestPause)), float64(longestPause)))
}

// bucket returns the bucket of a subscription with the limit that it now has.
func (l *limiter) bucket(id string, limit rate.Limit, burst int, now time.Time) *rate.Limiter {
	b := l.buckets[id]
	if b == nil {
		l.sweep(now)
		b = rate.NewLimiter(limit, burst)
		b.AllowN(l.since, burst-1) // a new Limiter is full; this leaves one token, at that time
		l.buckets[id] = b
		return b
	}
	if b.Limit() != limit {
		b.SetLimitAt(now, limit)
	}
	if b.Burst() != burst {
		b.SetBurstAt(now, burst)
	}
	return b
}

// sweep forgets full buckets once there are twice as many buckets as it left the last time: so each
// new bucket pays for a bounded part of a sweep.
func (l *limiter) sweep(now time.Time) {
	if len(l.buckets) < l.sweepAt {
		return
	}
	for id, b := range l.buckets {
		if b.TokensAt(now) >= float64(b.Burst()) {
			delete(l.buckets, id)
		}
	}
	l.sweepAt = max(2*len(l.buckets), minLimiters)
}
