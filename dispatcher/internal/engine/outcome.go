package engine

import (
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/store"
)

// outcomeOf decides what follows from an attempt. It does no I/O, and but for the jitter of
// RetryDelay and of probes it depends on its arguments and the Config alone.
func (e *Engine) outcomeOf(c *store.Claim, r *send.Result) store.Outcome {
	o := store.Outcome{Lease: c.Lease, Attempt: r.Attempt}
	o.Attempt.Number = c.Attempt
	switch {
	case r.Attempt.Error == "":
		o.State = store.Delivered
		return o
	case r.Attempt.Status == http.StatusGone, c.Retry+1 >= e.MaxAttempts && !c.Probe:
		o.State = store.Dead
	default:
		o.State = store.Pending
		o.RetryIn = max(e.RetryDelay(c.Retry+1), r.RetryAfter)
	}
	o.BodyState, o.BodyOverride = r.Body.State, r.Body.Override
	o.Effect = store.EffectDown
	o.Probe = e.probePolicy()
	o.KeepRetry = c.Probe
	return o
}

const (
	firstProbe  = 5 * time.Second
	maxProbe    = 5 * time.Minute
	probeJitter = 0.2
)

// probePolicy returns when an endpoint that is down is probed, with a jitter of its own.
func (e *Engine) probePolicy() store.ProbePolicy {
	return store.ProbePolicy{
		Threshold: e.BreakerThreshold,
		First:     firstProbe,
		Max:       maxProbe,
		Jitter:    1 - probeJitter + 2*probeJitter*rand.Float64(),
	}
}

// isGone reports whether an outcome is that of a 410.
func isGone(o *store.Outcome) bool {
	return o.State == store.Dead && o.Attempt.Status == http.StatusGone
}
