package engine

import (
	"fmt"
	"log/slog"
	"math"
	"time"

	"golang.org/x/time/rate"

	"github.com/outhook/outhook/store"
)

const (
	shortestPause = time.Millisecond // for a rate limit: the least that is worth a claim
	longestPause  = time.Hour        // after which a limit is asked for again
	minLimiters   = 1024             // so many are kept before idle ones are looked for
)

// limiter holds subscriptions to a rate limit. It belongs to claimLoop alone.
//
// It keeps a token bucket for each subscription that has had claims, and forgets buckets that are
// full. A new bucket begins with what one would have that has been there since Run began, with one
// token then.
type limiter struct {
	limit func(store.Subscription) (rate.Limit, int)
	since time.Time
	log   *slog.Logger

	buckets map[string]*rate.Limiter
	sweepAt int // how many buckets there are when full ones are looked for
}

// newLimiter returns nil if there is no limit.
func newLimiter(limit func(store.Subscription) (rate.Limit, int), log *slog.Logger) *limiter {
	if limit == nil {
		return nil
	}
	return &limiter{
		limit:   limit,
		since:   time.Now(),
		log:     log,
		buckets: make(map[string]*rate.Limiter),
		sweepAt: minLimiters,
	}
}

// take takes a token for an attempt. If there is none it returns how long to wait for one.
func (l *limiter) take(sub *store.Subscription, now time.Time) time.Duration {
	limit, burst, ok := l.ask(sub)
	switch {
	case !ok:
		return storeRetryMax
	case !(limit > 0) || limit > math.MaxInt32:
		delete(l.buckets, sub.ID)
		return 0
	}
	b := l.bucket(sub.ID, limit, max(burst, 1), now)
	if b.AllowN(now, 1) {
		return 0
	}
	wait := (1 - b.TokensAt(now)) / float64(limit) * float64(time.Second)
	return time.Duration(min(max(wait, float64(shortestPause)), float64(longestPause)))
}

// ask calls the function of the host. ok is false if it panicked.
func (l *limiter) ask(sub *store.Subscription) (limit rate.Limit, burst int, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			l.log.Error("outhook: Options.RateLimit panicked",
				"subscription_id", sub.ID, "panic", fmt.Sprint(p))
		}
	}()
	limit, burst = l.limit(*sub)
	return limit, burst, true
}

// bucket returns the bucket of a subscription with the limit that it now has.
func (l *limiter) bucket(id string, limit rate.Limit, burst int, now time.Time) *rate.Limiter {
	b := l.buckets[id]
	if b == nil {
		l.sweep(now)
		b = rate.NewLimiter(limit, burst)
		b.AllowN(l.since, burst-1)
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
