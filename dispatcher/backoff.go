package dispatcher

import (
	"time"

	"github.com/outhook/outhook/dispatcher/internal/backoff"
)

// The defaults of Backoff: attempts over about two and a half days.
const (
	DefaultBackoffInitial    = 5 * time.Second
	DefaultBackoffMax        = 12 * time.Hour
	DefaultBackoffMultiplier = 4
	DefaultBackoffJitter     = 0.2
	DefaultMaxAttempts       = 12
)

// Backoff says when a failed delivery is tried again, and how often.
//
// After the n-th attempt the delay is Initial × Multiplierⁿ⁻¹, at most Max, times a random factor
// between 1 − Jitter and 1 + Jitter. A subscription whose breaker is open is probed at delays of
// its own; see BreakerThreshold.
type Backoff struct {
	// Initial is the first delay. If zero, DefaultBackoffInitial, or Max if that is less.
	Initial time.Duration

	// Max is the longest delay, before jitter; ten years at most. If zero, DefaultBackoffMax, or
	// Initial if that is more.
	Max time.Duration

	// Multiplier is how delays grow, at least 1. If zero, DefaultBackoffMultiplier.
	Multiplier float64

	// Jitter is how far delays spread, below 1. If zero, DefaultBackoffJitter; if negative, not at
	// all.
	Jitter float64

	// MaxAttempts is how many attempts a delivery gets before it is dead. A redelivery gets as many
	// again. If zero, DefaultMaxAttempts.
	MaxAttempts int
}

// withDefaults returns b with all fields set.
func (b Backoff) withDefaults() Backoff {
	return Backoff(backoff.Policy(b).Or(backoff.Policy{
		Initial:     DefaultBackoffInitial,
		Max:         DefaultBackoffMax,
		Multiplier:  DefaultBackoffMultiplier,
		Jitter:      DefaultBackoffJitter,
		MaxAttempts: DefaultMaxAttempts,
	}))
}
