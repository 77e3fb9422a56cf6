package dispatcher

import (
	"context"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/store"
)

// Stats are figures of the whole store, and of this Dispatcher since it was made.
type Stats struct {
	Subscriptions int       // how many there are, subscribed or not
	Pending       int       // deliveries that are pending, those under way included
	InFlight      int       // deliveries that are under way, in this process or another
	OldestPending time.Time // when the oldest pending delivery was published; zero when none is
	Concurrency   int       // Options.Concurrency: how many this process has under way at most
	Running       bool      // Run is running in this process

	// Unwanted is how many events were published that no subscription got, by their type, by this
	// process since its store was opened; see store.Stats. The usual causes are an event without its
	// Tenant, a type that subscriptions spell differently, and a Time from before the subscription.
	Unwanted map[string]int

	Attempts  uint64 // attempts made
	Delivered uint64 // deliveries delivered
	Retried   uint64 // attempts that failed and are followed by another
	Dead      uint64 // deliveries given up
	Pings     uint64 // pings sent; they are no attempts. Observer.OnPing says whose

	// OutageSince is when this host's own network began to look down; zero if it looks fine. See
	// Outage.
	OutageSince time.Time
}

// Stats returns figures of the whole store, and of this Dispatcher since it was made.
func (d *Dispatcher) Stats(ctx context.Context) (Stats, error) {
	s, err := d.store.Stats(ctx, "")
	if err != nil {
		return Stats{}, err
	}
	counts := d.engine.Counts()
	return Stats{
		Subscriptions: s.Subscriptions, Pending: s.Pending, InFlight: s.InFlight,
		OldestPending: s.OldestPending, Concurrency: d.o.Concurrency, Running: d.running.Load(),
		Unwanted: s.Unwanted, Attempts: counts.Attempts, Delivered: counts.Delivered,
		Retried: counts.Retried, Dead: counts.Dead, Pings: d.pings.Load(),
		OutageSince: d.engine.OutageSince(),
	}, nil
}

// BreakerThreshold is how many attempts of a subscription must fail in a row to open its breaker.
// While it is open, the subscription gets one probe at a time, after 5 seconds and then at delays
// that double to 5 minutes, with a jitter of a fifth; a success closes it. Probes do not use up the
// attempts of a delivery.
const BreakerThreshold = 10

// Breaker says what a subscription's breaker does; see BreakerThreshold.
type Breaker string

const (
	BreakerClosed Breaker = "closed" // attempts are made as they fall due
	BreakerOpen   Breaker = "open"   // one probe at a time
)

// SubscriptionStats are figures of one subscription.
type SubscriptionStats struct {
	Pending       int       // deliveries that are pending, those under way included
	InFlight      int       // deliveries that are under way, in this process or another
	OldestPending time.Time // when the oldest pending delivery was published; zero when none is

	// Hour and Day are what was recorded of its attempts in the last hour and the last 24 hours;
	// see store.AttemptStats.
	Hour, Day store.AttemptStats

	Breaker  Breaker
	Failures int  // failed attempts since the last success
	New      bool // no attempt has shown yet whether its endpoint works

	// FailingFor is the time from the first of those failures to the last. When it reaches
	// Options.DisableAfter, the subscription is unsubscribed. A gap between two failures counts as an
	// hour at most, because nothing may have been attempted in it. FailingSince is the time of the
	// last failure less FailingFor, so it is later than the first failure if there was a longer gap.
	// Both are zero without failures.
	FailingSince time.Time
	FailingFor   time.Duration

	// NextProbeAt is when the next probe may be made, by the store's clock. It is zero if the breaker
	// is closed or a probe may be made now, as after Redeliver and Replay.
	NextProbeAt time.Time

	// ThrottledUntil is the end of the wait that the last throttled answer asked for, by the store's
	// clock. It may be past; it is zero if there was none. Pace is the least time between two attempts
	// that was learnt from such answers; zero is no bound.
	ThrottledUntil time.Time
	Pace           time.Duration

	// DisabledReason says why the Dispatcher unsubscribed it; empty when it did not.
	DisabledReason string
}

// MaxAttempts returns how many attempts a delivery gets at most: Options.Backoff.MaxAttempts, or
// the default of that.
func (d *Dispatcher) MaxAttempts() int { return d.o.Backoff.MaxAttempts }

// SubscriptionStats returns figures of a subscription. It returns store.ErrNotFound if the
// subscription does not exist.
func (d *Dispatcher) SubscriptionStats(ctx context.Context, id string) (SubscriptionStats, error) {
	sub, err := d.Subscription(ctx, id)
	if err != nil {
		return SubscriptionStats{}, err
	}
	s, err := d.store.Stats(ctx, sub.ID)
	if err != nil {
		return SubscriptionStats{}, err
	}
	breaker := BreakerClosed
	if s.Health.Failures >= BreakerThreshold {
		breaker = BreakerOpen
	}
	h := &s.Health
	return SubscriptionStats{
		Pending: s.Pending, InFlight: s.InFlight, OldestPending: s.OldestPending,
		Hour: s.Hour, Day: s.Day, Breaker: breaker, Failures: h.Failures, New: h.New(),
		FailingSince: s.FailingSince, FailingFor: h.FailingFor, NextProbeAt: h.NextProbeAt,
		ThrottledUntil: h.HeldUntil, Pace: h.Pace, DisabledReason: sub.DisabledReason,
	}, nil
}

// Figures sums up the attempts that were made lately, by every process that shares the store: those
// of the last 60 minutes by the minute, or of the last 72 hours by the hour; of a subscription, of
// those that a tenant has now, or of all that there are and were. It returns store.ErrNotFound if
// the subscription does not exist. The figures of the last ten seconds before a crash may be
// missing.
func (d *Dispatcher) Figures(ctx context.Context, q store.FiguresQuery) (store.Figures, error) {
	if err := check.FiguresQuery(&q); err != nil {
		return store.Figures{}, err
	}
	return d.store.Figures(ctx, q)
}
