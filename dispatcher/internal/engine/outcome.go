package engine

import (
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/store"
)

// The breaker's own schedule of probes: 5 s, 10 s, and so on to five minutes, so that an endpoint
// that is back is seen within minutes, and ten thousand dead ones cost 33 probes a second.
const (
	firstProbe  = 5 * time.Second
	maxProbe    = 5 * time.Minute
	probeJitter = 0.2
)

// minThrottled is how long a throttled delivery stays back whose endpoint does not say how long.
// The hold of its subscription, which Health.Next learns, may be shorter or longer: others go first
// then.
const minThrottled = time.Second

// A throttled attempt does not count while the endpoint takes others, for which a success within
// takesOthers stands. For a delivery with more than maxThrottled attempts it counts in any case:
// there may be one that the endpoint never takes, and it must end.
const (
	takesOthers  = time.Hour
	maxThrottled = 100
)

// outcomeOf decides what follows from an attempt by the policy of its subscription. It does no I/O,
// and but for the jitter of RetryDelay and of probes it depends on its arguments and the Config
// alone.
//
// What an answer says of the endpoint is decided apart from what becomes of the delivery: an
// endpoint that refuses one delivery is alive, and one that is down has nothing against any of
// them.
func (e *Engine) outcomeOf(c *store.Claim, p *Policy, r *send.Result) store.Outcome {
	o := store.Outcome{
		Lease: c.Lease, Attempt: r.Attempt,
		// Whatever it is, a redelivery of a success included: the endpoint may have got it.
		BodyState: r.Mark.State, BodyOverride: r.Mark.Override,
	}
	o.Attempt.Number = c.Attempt
	if r.Kind == send.KindDelivered {
		o.State = store.Delivered
		return o
	}
	o.Probe = e.probePolicy()
	switch r.Kind {
	case send.KindGone, send.KindRefused:
		o.Effect = store.EffectRefused
	case send.KindThrottled:
		o.Effect, o.ThrottleFor = store.EffectThrottled, r.RetryAfter
	case send.KindOurs:
		o.Effect = store.EffectNone
	default:
		o.Effect = store.EffectDown
	}
	if r.Kind == send.KindGone || r.Final || r.Asked != send.ControlNone {
		o.State = store.Dead
		return o
	}
	o.KeepRetry = keepsRetry(c, r.Kind)
	// c.Retry is how many attempts were counted before this one, which is attempt Retry+1.
	switch {
	case !o.KeepRetry && c.Retry+1 >= p.MaxAttempts:
		o.State = store.Dead
	case o.KeepRetry && r.Kind == send.KindThrottled:
		o.State, o.RetryIn = store.Pending, max(r.RetryAfter, minThrottled)
	default:
		// A Retry-After is obeyed where the attempt counts too.
		o.State, o.RetryIn = store.Pending, max(p.RetryDelay(c.Retry+1), r.RetryAfter)
	}
	return o
}

// keepsRetry reports whether an attempt that failed does not use up one of its delivery's.
func keepsRetry(c *store.Claim, k send.Kind) bool {
	switch {
	case k == send.KindOurs:
		// This counts for a probe too: the host's hook fails for this delivery, and the endpoint
		// has nothing to do with it.
		return false
	case c.Probe:
		return true // or else the delivery that is probed with would pay for the endpoint
	}
	return k == send.KindThrottled && c.Health.FailingFor < takesOthers && c.Attempt <= maxThrottled
}

// probePolicy returns when an endpoint that is down is probed, with a jitter of its own: endpoints
// that went down together, as those behind one service do, are not probed together. It comes with
// the outcome because only the store knows how many failures there were: outcomes of one
// subscription are recorded together that were claimed before any of them.
func (e *Engine) probePolicy() store.ProbePolicy {
	return store.ProbePolicy{
		Threshold: e.BreakerThreshold,
		First:     firstProbe,
		Max:       maxProbe,
		Jitter:    1 - probeJitter + 2*probeJitter*rand.Float64(),
	}
}

// isGone reports whether an outcome is that of a 410: the endpoint wants no more.
func isGone(o *store.Outcome) bool {
	return o.State == store.Dead && o.Attempt.Status == http.StatusGone &&
		o.Effect == store.EffectRefused
}
