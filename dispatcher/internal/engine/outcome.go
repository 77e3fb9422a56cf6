package engine

import (
	"net/http"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/store"
)

// outcomeOf decides what follows from an attempt. It does no I/O, and but for the jitter of
// RetryDelay it depends on its arguments and the Config alone.
func (e *Engine) outcomeOf(c *store.Claim, r *send.Result) store.Outcome {
	o := store.Outcome{Lease: c.Lease, Attempt: r.Attempt}
	o.Attempt.Number = c.Attempt
	switch {
	case r.Attempt.Error == "":
		o.State = store.Delivered
		return o
	case r.Attempt.Status == http.StatusGone, c.Retry+1 >= e.MaxAttempts:
		o.State = store.Dead
	default:
		o.State = store.Pending
		o.RetryIn = max(e.RetryDelay(c.Retry+1), r.RetryAfter)
	}
	o.BodyState, o.BodyOverride = r.Body.State, r.Body.Override
	if c.Health.Failures+1 >= e.BreakerThreshold {
		o.ProbeIn = max(e.RetryDelay(c.Health.Probes+1), r.RetryAfter)
	}
	return o
}

// isGone reports whether an outcome is that of a 410.
func isGone(o *store.Outcome) bool {
	return o.State == store.Dead && o.Attempt.Status == http.StatusGone
}
