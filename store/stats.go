package store

import "time"

// Stats are a store's figures, or one subscription's.
type Stats struct {
	Subscriptions int // how many there are, subscribed or not

	Pending  int // deliveries that are pending, leased ones included
	InFlight int // deliveries that are leased

	// Unwanted is how many events that no subscription got were enqueued, by their type, by this
	// Store since it was opened: no subscription of their tenant wanted their type, or each was
	// subscribed too late. One that is enqueued again is counted again. At most a thousand types
	// are counted apart, and those that come later together, under "". In a host's own transaction
	// an event may be counted that is then rolled back. It is nil if there are none, or the figures
	// are one subscription's.
	Unwanted map[string]int

	// OldestPending is when the oldest pending delivery was enqueued. Zero when none is pending.
	OldestPending time.Time

	// Health is the subscription's; zero when the figures are the whole store's.
	Health Health

	// FailingSince is the subscription's Health.FailingSince. Zero when the figures are the whole
	// store's.
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
