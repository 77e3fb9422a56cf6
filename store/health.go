package store

import "time"

// Health sums up the attempts at a subscription's endpoint. It starts anew when the subscription is
// subscribed again or its URL changes.
//
// This file is the only definition of health: how outcomes change it ([Health.Next]), the classes
// that take turns ([Health.Class]), and how many leases each may have ([ClaimRequest.Limit],
// [ClaimRequest.Room]).
type Health struct {
	// Healthy says that the last counted attempt succeeded. It is false before the first.
	Healthy bool

	// Failures counts the failed attempts since the last success.
	Failures int

	// FailingFor is the time over which those failures are spread. A gap between two of them counts
	// as MaxFailureGap at most, so that time while the host was down or a clock that jumped does
	// not make an endpoint look worse.
	FailingFor time.Duration

	// Probes counts the holds of the subscription since the last success (Outcome.ProbeIn). An
	// outcome during a hold may lengthen the hold, but does not count as another.
	Probes int

	// NextProbeAt is when the hold ends, by the store's clock: no delivery is claimed before. Zero
	// if there was no hold since the last success, and after ProbeNow.
	NextProbeAt time.Time

	// SlowStart is how many more successes it takes until the subscription has all its leases
	// again: see ClaimRequest.Limit. The success that ends failures sets it to their number,
	// MaxSlowStart at most.
	SlowStart int
}

// MaxSlowStart bounds [Health.SlowStart].
const MaxSlowStart = 8

// MaxFailureGap is what one gap between two failures adds at most to [Health.FailingFor].
const MaxFailureGap = 24 * time.Hour

// New reports whether no attempt has been counted yet.
func (h *Health) New() bool { return h.Class() == ClassNew }

// FailingSince returns when the first of the Failures was, later by what exceeds MaxFailureGap in
// the gaps between them, where the last was at failedAt. Zero without Failures.
func (h *Health) FailingSince(failedAt time.Time) time.Time {
	if h.Failures == 0 {
		return time.Time{}
	}
	return failedAt.Add(-h.FailingFor)
}

// Next returns the health after an outcome that counts, at the time now of the store's clock, where
// the last failure was at failedAt.
//
//   - Delivered makes it Healthy and all else zero but SlowStart, which becomes the number of
//     Failures that ended, MaxSlowStart at most, or one less than before if there were none.
//   - Pending and Dead make it unhealthy: Failures grows by one, FailingFor by the time since
//     failedAt, and SlowStart is zero. A positive ProbeIn moves NextProbeAt to now + ProbeIn unless
//     it is later, and adds one to Probes unless the subscription is held already.
//   - Canceled says nothing about the endpoint and changes nothing.
func (h Health) Next(o *Outcome, now, failedAt time.Time) Health {
	switch o.State {
	case Canceled:
		return h
	case Delivered:
		return Health{Healthy: true, SlowStart: h.slowStart()}
	}
	if h.Failures > 0 {
		h.FailingFor += min(max(now.Sub(failedAt), 0), MaxFailureGap)
	}
	h.Healthy, h.SlowStart = false, 0
	h.Failures++
	if o.ProbeIn > 0 {
		if !h.NextProbeAt.After(now) {
			h.Probes++
		}
		if until := now.Add(o.ProbeIn); until.After(h.NextProbeAt) {
			h.NextProbeAt = until
		}
	}
	return h
}

// slowStart returns SlowStart after a success.
func (h *Health) slowStart() int {
	if h.Failures > 0 {
		return min(h.Failures, MaxSlowStart)
	}
	return max(h.SlowStart-1, 0)
}

// Class is one of the kinds of subscriptions that take turns in Claim.
type Class int

const (
	ClassHealthy Class = iota // the last counted attempt succeeded
	ClassNew                  // no attempt has been counted yet
	ClassFailing              // it has Failures
	Classes                   // how many classes there are
)

// Class returns the class of a subscription with this health.
func (h *Health) Class() Class {
	switch {
	case h.Healthy:
		return ClassHealthy
	case h.Failures == 0:
		return ClassNew
	}
	return ClassFailing
}

// Limit returns how many deliveries of a subscription with this health may be leased at once; 0 is
// no limit. After failures the limit comes back step by step: it is halved for each of
// Health.SlowStart, down to one.
func (r *ClaimRequest) Limit(h *Health) int {
	if r.BreakerThreshold > 0 && h.Failures >= r.BreakerThreshold {
		return 1
	}
	if r.PerSubscription <= 0 {
		return 0
	}
	return max(1, r.PerSubscription>>h.SlowStart)
}

// Room reports whether one more delivery of a class may be leased where so many of each class are.
func (r *ClaimRequest) Room(class Class, leased *[Classes]int) bool {
	switch {
	case class == ClassHealthy:
		return true
	case class == ClassFailing && r.MaxFailing > 0 && leased[ClassFailing] >= r.MaxFailing:
		return false
	}
	return r.MaxUnhealthy <= 0 || leased[ClassNew]+leased[ClassFailing] < r.MaxUnhealthy
}
