package store

import "time"

// Stats are a store's figures, or one subscription's.
type Stats struct {
	Subscriptions int // how many there are, subscribed or not

	Pending  int // deliveries that are pending, leased ones included
	InFlight int // deliveries that are leased

	// OldestPending is when the oldest pending delivery was enqueued. Zero when none is pending.
	OldestPending time.Time

	// Health is the subscription's; zero when the figures are the whole store's.
	Health Health

	// FailingSince is when the first of the subscription's Health.Failures was, later by what
	// exceeds MaxFailureGap in the gaps between them. Zero when there are none, and when the
	// figures are the whole store's.
	FailingSince time.Time

	// Hour and Day are what was recorded of the subscription's attempts in the last hour and the
	// last 24 hours; zero when the figures are the whole store's. See package rollup for how exact
	// they are. They start anew when the subscription is deleted, and what was counted in the last
	// ten seconds before a crash may be missing.
	Hour, Day AttemptStats
}

// AttemptStats sums up the attempts of a subscription over a period.
type AttemptStats struct {
	Delivered int // attempts that succeeded
	Failed    int // attempts that did not

	// P50 and P95 are the times within which half and 95 % of the answers came, of attempts that
	// were answered. Zero if none was answered.
	P50, P95 time.Duration
}

// SuccessRate is the share of the attempts that succeeded, from 0 to 1. It is 0 when there were
// none.
func (w *AttemptStats) SuccessRate() float64 {
	if w.Delivered == 0 {
		return 0
	}
	return float64(w.Delivered) / float64(w.Delivered+w.Failed)
}

// Retention says how long finished deliveries are kept, by the store's clock, after they finished:
// MaxDuration at most. Zero keeps for ever.
type Retention struct {
	Delivered time.Duration // deliveries that are delivered
	Failed    time.Duration // deliveries that are dead or canceled
}
