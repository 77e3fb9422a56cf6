package dispatcher

import "time"

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

// withDefaults returns b with all fields set. Initial and Max default to each other's side, so that
// a host which sets one alone gets no contradiction.
func (b Backoff) withDefaults() Backoff {
	if b.Initial == 0 {
		b.Initial = DefaultBackoffInitial
		if b.Max > 0 {
			b.Initial = min(b.Initial, b.Max)
		}
	}
	setDefault(&b.Max, max(DefaultBackoffMax, b.Initial))
	setDefault(&b.Multiplier, DefaultBackoffMultiplier)
	setDefault(&b.Jitter, DefaultBackoffJitter)
	setDefault(&b.MaxAttempts, DefaultMaxAttempts)
	b.Jitter = max(b.Jitter, 0)
	return b
}
