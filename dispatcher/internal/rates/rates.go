// Package rates limits how many calls of a kind a tenant may make in a minute.
//
// It is the generic cell rate algorithm. For each rate it keeps the time at which all of the rate
// is available again, so a rate costs one map entry and no timer. Once that time has passed the
// entry is removed, so memory holds the rates that were used within the last minute or so.
package rates

import (
	"sync"
	"time"
)

// Key names a rate.
type Key struct{ Kind, Of string }

// Rate is a rate that a call uses.
type Rate struct {
	Key       Key
	PerMinute int // no limit if negative; zero is not allowed
	Burst     int // how many calls there may be at once, at least 1
}

// Limiter is what has been used of all rates. Make one with New. It is safe for concurrent use.
type Limiter struct {
	mu      sync.Mutex
	fullAt  map[Key]time.Time
	sweepAt int // when fullAt has so many, those that are available in full are dropped
}

// firstSweep is how many rates are kept before the first look at which can go.
const firstSweep = 1024

// New returns a Limiter with all rates unused.
func New() *Limiter {
	return &Limiter{fullAt: make(map[Key]time.Time), sweepAt: firstSweep}
}

// Take uses each of the rates once, or none. If it uses none, it returns the index of the rate that
// is available last, and how long that takes; otherwise the index is -1.
func (l *Limiter) Take(all ...Rate) (refused int, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	refused = -1
	fullAt := make([]time.Time, len(all))
	for i, rate := range all {
		if rate.PerMinute < 0 {
			continue
		}
		interval := time.Minute / time.Duration(rate.PerMinute)
		at := l.fullAt[rate.Key]
		if at.Before(now) {
			at = now
		}
		// This call would make it full again an interval later. A burst of intervals may lie ahead.
		fullAt[i] = at.Add(interval)
		if w := fullAt[i].Sub(now) - time.Duration(rate.Burst)*interval; w > wait {
			refused, wait = i, w
		}
	}
	if refused >= 0 {
		return refused, wait // a call that is refused must not use up the others
	}
	for i, rate := range all {
		if rate.PerMinute >= 0 {
			l.fullAt[rate.Key] = fullAt[i]
		}
	}
	l.sweep(now)
	return -1, 0
}

// sweep forgets the rates that are available in full. It looks at all of them only when there are
// twice as many as it left the last time, so each call pays for a few. l.mu is held.
func (l *Limiter) sweep(now time.Time) {
	if len(l.fullAt) < l.sweepAt {
		return
	}
	for key, at := range l.fullAt {
		if !at.After(now) {
			delete(l.fullAt, key)
		}
	}
	l.sweepAt = max(firstSweep, 2*len(l.fullAt))
}

// Len returns how many rates are remembered.
func (l *Limiter) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.fullAt)
}
