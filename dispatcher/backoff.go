package dispatcher

import (
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// The defaults of Backoff: attempts over about two and a half days.
const (
	DefaultBackoffInitial    = 5 * time.Second
	DefaultBackoffMax        = 12 * time.Hour
	DefaultBackoffMultiplier = 4
	DefaultBackoffJitter     = 0.2
	DefaultMaxAttempts       = 12
)

// maxBackoff bounds Backoff.Max: jitter less than doubles it, which must be no longer than a
// store's MaxDuration.
const maxBackoff = 10 * 365 * 24 * time.Hour

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

// validate reports what is wrong with a Backoff whose defaults are set.
func (b Backoff) validate() error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("dispatcher: Options.Backoff."+format, args...))
		}
	}
	// What was not set follows from what was, so the second of two cases would only repeat the
	// first.
	switch {
	case b.Initial < 0 || b.Initial > maxBackoff:
		bad(true, "Initial is %v; it must be positive, and at most %v", b.Initial, maxBackoff)
	case b.Max < b.Initial || b.Max > maxBackoff:
		bad(true, "Max is %v; it must be from Initial, which is %v, to %v", b.Max, b.Initial, maxBackoff)
	}
	bad(!(b.Multiplier >= 1), "Multiplier is %v; it must be at least 1", b.Multiplier)
	bad(!(b.Jitter < 1), "Jitter is %v; it must be below 1, or negative for none", b.Jitter)
	bad(b.MaxAttempts < 1, "MaxAttempts is %d; it must be at least 1", b.MaxAttempts)
	return errors.Join(errs...)
}

// delay is how long to wait after the n-th attempt, n ≥ 1.
//
// An ExponentialBackOff has state, so each computation makes its own and steps it to n: only the
// number of the attempt need be stored. Once the interval has reached Max, further steps change
// nothing.
func (b Backoff) delay(n int) time.Duration {
	e := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(b.Initial),
		backoff.WithMaxInterval(b.Max),
		backoff.WithMultiplier(b.Multiplier),
		backoff.WithRandomizationFactor(b.Jitter),
		backoff.WithMaxElapsedTime(0),
	)
	d := e.NextBackOff()
	for i := 1; i < min(n, 1000); i++ {
		d = e.NextBackOff()
	}
	return d
}
