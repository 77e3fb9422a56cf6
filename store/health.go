package store

import "time"

// Health sums up the attempts at a subscription's endpoint. It starts anew when the subscription is
// subscribed again or its URL changes.
//
// This file and pace.go are the only definition of health: how outcomes change it ([Health.Next]),
// and updates of the subscription ([Health.Updated]),
// the classes that take turns ([Health.Class]), and how many leases each may have
// ([ClaimRequest.Limit], [ClaimRequest.Room]). They do no I/O and have no clock of their own.
type Health struct {
	// Healthy says that the last attempt that said something of the endpoint (EffectDown, or a
	// success) succeeded. It is false before the first.
	Healthy bool

	// Failures counts the attempts with EffectDown since the last success.
	Failures int

	// FailingFor is the time from the first to the last attempt since the last success that failed,
	// was refused or was throttled. A gap between two of them counts as MaxFailureGap at most, so
	// that neither time in which nothing was attempted nor a clock that jumped makes an endpoint
	// look worse than it was seen to be.
	FailingFor time.Duration

	// LastFailureAt is when the last of those attempts was recorded, by the store's clock. Zero
	// without any.
	LastFailureAt time.Time

	// Probes counts the probes that were planned since the breaker opened: see ProbePolicy.
	Probes int

	// NextProbeAt is when the next probe may be claimed, by the store's clock. Nothing of the
	// subscription is claimed before. Zero while the breaker is closed, and after ProbeNow.
	NextProbeAt time.Time

	// SlowStart is how often the limit of the subscription is halved: see ClaimRequest.Limit. Each
	// success takes one away. The success that ends failures sets it to their number, MaxSlowStart
	// at most, a throttled answer adds one, and the end of a pause sets it to MaxSlowStart.
	SlowStart int

	// Latency is how long an attempt usually takes: a moving average over the attempts that were
	// answered, and over those without an answer that took longer than it. It moves in steps of
	// latencyStep, so that it stays as it is from one quick answer to the next.
	Latency time.Duration

	// HeldUntil is until when a throttled answer keeps the subscription from being claimed, by the
	// store's clock. A success does not end it.
	HeldUntil time.Time

	// Pace is the least time between the starts of two attempts, learnt from throttled answers.
	// Zero is no bound.
	Pace time.Duration

	// Pacing is what Pace is learnt from.
	Pacing Pacing
}

const (
	// MaxSlowStart bounds [Health.SlowStart].
	MaxSlowStart = 8

	// MaxFailureGap is what one gap between two failures adds at most to [Health.FailingFor].
	MaxFailureGap = time.Hour

	// SlowLatency is the [Health.Latency] above which a subscription is slow: see ClassSlow.
	SlowLatency = time.Second
)

const (
	latencyStep   = 50 * time.Millisecond
	latencyWeight = 8 // a change of speed shows in about so many attempts
)

// New reports whether no attempt has been counted yet.
func (h *Health) New() bool { return h.Class() == ClassNew }

// FailingSince returns LastFailureAt less FailingFor: when the attempts began to fail, or later if
// there was a gap of more than MaxFailureGap between two of them. It is zero without failures.
func (h *Health) FailingSince() time.Time {
	if h.LastFailureAt.IsZero() {
		return time.Time{}
	}
	return h.LastFailureAt.Add(-h.FailingFor)
}

// Next returns the health after an outcome that counts, at the time now of the store's clock. A
// canceled delivery says nothing about the endpoint and leaves the health as it is.
func (h Health) Next(o *Outcome, now time.Time) Health {
	switch {
	case o.State == Canceled:
		return h
	case o.State == Delivered:
		return h.delivered(o)
	}
	switch o.Effect {
	case EffectDown:
		h.noteFailure(now)
		h.Healthy, h.SlowStart = false, 0
		h.Failures++
		if o.Attempt.Status != 0 || o.Attempt.Duration > h.Latency {
			h.learnLatency(&o.Attempt)
		}
	case EffectRefused:
		h.noteFailure(now)
		h.learnLatency(&o.Attempt)
	case EffectThrottled:
		h.noteFailure(now)
		h.learnLatency(&o.Attempt)
		h.throttle(o, now)
	}
	h.planProbe(o, now)
	return h
}

// Updated returns the health after an update of its subscription from was to is. What was learned
// of another endpoint, or before the subscription ended, says nothing of this one, so it begins
// anew. After a pause all that has collected is due at once, so it begins by slow start.
func (h Health) Updated(was, is *Subscription) Health {
	if is.Collects() && !was.Collects() || is.URL != was.URL {
		h = Health{}
	}
	if was.Collects() && was.Status != Subscribed && is.Status == Subscribed {
		h.SlowStart = MaxSlowStart
	}
	return h
}

// Recovered returns the health after a success that was seen outside of the queue, such as that of
// a ping: the breaker is closed, and no hold lasts. It is the same for a subscription that has
// neither failures nor a hold.
func (h Health) Recovered() Health {
	if h.Failures == 0 && h.NextProbeAt.IsZero() && h.HeldUntil.IsZero() {
		return h
	}
	after := h.delivered(&Outcome{Attempt: Attempt{Duration: h.Latency}})
	after.HeldUntil = time.Time{}
	return after
}

// delivered returns the health after a success.
func (h Health) delivered(o *Outcome) Health {
	if h.Failures > 0 {
		h.SlowStart = min(h.Failures, MaxSlowStart)
	} else {
		h.SlowStart = max(h.SlowStart-1, 0)
	}
	h.Healthy, h.Failures = true, 0
	h.FailingFor, h.LastFailureAt = 0, time.Time{}
	h.Probes, h.NextProbeAt = 0, time.Time{}
	h.learnLatency(&o.Attempt)
	h.quicken()
	return h
}

// noteFailure counts the time since the last attempt that was no success.
func (h *Health) noteFailure(now time.Time) {
	if !h.LastFailureAt.IsZero() {
		h.FailingFor += min(max(now.Sub(h.LastFailureAt), 0), MaxFailureGap)
	}
	h.LastFailureAt = now
}

// planProbe sets when the next probe may be, if the breaker is open. Outcomes that come while the
// next one is planned already, of attempts that were under way when the breaker opened, change
// nothing. A probe that did not show the endpoint down is followed by another without a longer
// delay; but it is followed: without a time for it the next claim would send it at once.
func (h *Health) planProbe(o *Outcome, now time.Time) {
	if !o.Probe.Open(h) || h.NextProbeAt.After(now) {
		return
	}
	n := h.Probes
	if o.Effect == EffectDown {
		h.Probes++
	} else {
		n = max(n-1, 0)
	}
	h.NextProbeAt = now.Add(o.Probe.delay(n))
}

// learnLatency moves Latency towards the duration of an attempt, in whole steps, because stores
// write each change to disk. The rest is rounded up or down at random, so that the average is right
// in the long run. The low digits of the attempt's times are the dice, so Next stays a function of
// its arguments.
func (h *Health) learnLatency(a *Attempt) {
	move := (a.Duration - h.Latency) / latencyWeight
	rest := move % latencyStep
	dice := (uint64(a.Duration) ^ uint64(a.At.UnixNano())) * 0x9E3779B97F4A7C15 >> 32
	move -= rest
	switch rolled := time.Duration(dice % uint64(latencyStep)); {
	case rest > rolled:
		move += latencyStep
	case -rest > rolled:
		move -= latencyStep
	}
	h.Latency = max(h.Latency+move, 0)
}

// Parks reports whether an outcome leaves its delivery waiting for nothing but the breaker. after
// is the health after the outcome. Such a delivery is due as soon as the breaker closes, and
// RetryIn does not count.
func (o *Outcome) Parks(after *Health) bool {
	return o.State == Pending && o.Effect == EffectDown && o.Probe.Open(after)
}

// ProbePolicy says when an endpoint that is down is probed. Its breaker is open after Threshold
// attempts in a row with EffectDown. Then one attempt at a time is made: the first after First, the
// next after twice that, and so on to Max.
type ProbePolicy struct {
	Threshold  int           // if zero, there is no breaker
	First, Max time.Duration // from 0 to MaxDuration
	Jitter     float64       // a factor for the delay, above 0 and at most 2; if zero, 1
}

// Open reports whether the breaker of an endpoint with this health is open.
func (p *ProbePolicy) Open(h *Health) bool { return p.Threshold > 0 && h.Failures >= p.Threshold }

// delay returns how long to wait after n probes.
func (p *ProbePolicy) delay(n int) time.Duration {
	d := p.First
	for ; n > 0 && d < p.Max; n-- {
		d *= 2
	}
	d = min(d, p.Max)
	if p.Jitter > 0 {
		d = time.Duration(float64(d) * p.Jitter)
	}
	return d
}

// Class is one of the kinds of subscriptions that take turns in Claim.
type Class int

const (
	ClassHealthy Class = iota // the last attempt succeeded, and Latency is at most SlowLatency
	ClassNew                  // nothing has been said of it yet
	ClassFailing              // it has Failures
	ClassSlow                 // the last attempt succeeded, and Latency is above SlowLatency
	Classes                   // how many classes there are
)

// Class returns the class of a subscription with this health.
func (h *Health) Class() Class {
	switch {
	case h.Healthy && h.Latency > SlowLatency:
		return ClassSlow
	case h.Healthy:
		return ClassHealthy
	case h.Failures == 0:
		return ClassNew
	}
	return ClassFailing
}

// IsProbe reports whether a claim of a subscription with this health is a probe: its breaker is
// open.
func (r *ClaimRequest) IsProbe(h *Health) bool {
	return r.BreakerThreshold > 0 && h.Failures >= r.BreakerThreshold
}

// Limit returns how many deliveries of a subscription with this health may be leased at once; 0 is
// no limit. After failures and throttled answers the limit comes back step by step: it is halved
// for each of Health.SlowStart, down to one.
func (r *ClaimRequest) Limit(h *Health) int {
	if r.IsProbe(h) {
		return 1
	}
	if r.PerSubscription <= 0 {
		return 0
	}
	return max(1, r.PerSubscription>>h.SlowStart)
}

// Room reports whether one more delivery of a class may be leased where so many of each class are,
// and Elsewhere beside them.
func (r *ClaimRequest) Room(class Class, leased *[Classes]int) bool {
	switch {
	case class == ClassHealthy:
		return true
	case class == ClassFailing && r.MaxFailing > 0 &&
		leased[ClassFailing]+r.Elsewhere.Failing >= r.MaxFailing:
		return false
	}
	unhealthy := leased[ClassNew] + leased[ClassFailing] + leased[ClassSlow] + r.Elsewhere.Unhealthy
	return r.MaxUnhealthy <= 0 || unhealthy < r.MaxUnhealthy
}
