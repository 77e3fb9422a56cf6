// Package backoff says when a delivery that failed is tried again. The formula is that of
// cenkalti/backoff: exponential, with a limit and jitter.
package backoff

import (
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// maxDelay bounds Policy.Max: jitter less than doubles it, which must be no longer than a
// store's MaxDuration.
const maxDelay = 10 * 365 * 24 * time.Hour

// Policy is a dispatcher.Backoff.
type Policy struct {
	Initial     time.Duration
	Max         time.Duration
	Multiplier  float64
	Jitter      float64
	MaxAttempts int
}

// Or returns p with the fields of d where p has none. Initial and Max default to each other's side,
// so that a host which sets one alone gets no contradiction. No jitter, which is negative in p, is
// zero in what it returns, and in d.
func (p Policy) Or(d Policy) Policy {
	if p.Initial == 0 {
		p.Initial = d.Initial
		if p.Max > 0 {
			p.Initial = min(p.Initial, p.Max)
		}
	}
	if p.Max == 0 {
		p.Max = max(d.Max, p.Initial)
	}
	if p.Multiplier == 0 {
		p.Multiplier = d.Multiplier
	}
	if p.Jitter == 0 {
		p.Jitter = d.Jitter
	}
	if p.MaxAttempts == 0 {
		p.MaxAttempts = d.MaxAttempts
	}
	p.Jitter = max(p.Jitter, 0)
	return p
}

// Validate reports what is wrong with a Policy whose defaults are set, by the names that the host
// knows: of is what has the Backoff, "Options" or "Policy".
func (p Policy) Validate(of string) error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("dispatcher: "+of+".Backoff."+format, args...))
		}
	}
	// What was not set follows from what was, so the second of two cases would only repeat the
	// first.
	switch {
	case p.Initial < 0 || p.Initial > maxDelay:
		bad(true, "Initial is %v; it must be positive, and at most %v", p.Initial, maxDelay)
	case p.Max < p.Initial || p.Max > maxDelay:
		bad(true, "Max is %v; it must be from Initial, which is %v, to %v", p.Max, p.Initial, maxDelay)
	}
	bad(!(p.Multiplier >= 1), "Multiplier is %v; it must be at least 1", p.Multiplier)
	bad(!(p.Jitter < 1), "Jitter is %v; it must be below 1, or negative for none", p.Jitter)
	bad(p.MaxAttempts < 1, "MaxAttempts is %d; it must be at least 1", p.MaxAttempts)
	return errors.Join(errs...)
}

// Delay is how long to wait after the n-th attempt, n ≥ 1.
//
// An ExponentialBackOff has state, so each computation makes its own and steps it to n: only the
// number of the attempt need be stored. Once the interval has reached Max, further steps change
// nothing.
func (p Policy) Delay(n int) time.Duration {
	e := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(p.Initial),
		backoff.WithMaxInterval(p.Max),
		backoff.WithMultiplier(p.Multiplier),
		backoff.WithRandomizationFactor(p.Jitter),
		backoff.WithMaxElapsedTime(0),
	)
	d := e.NextBackOff()
	for i := 1; i < min(n, 1000); i++ {
		d = e.NextBackOff()
	}
	return d
}
