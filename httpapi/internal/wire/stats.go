package wire

import (
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// Stats is the response of /webhooks.stats. Its figures were read at one time, but attempts under
// way go on: pending may have changed by the time that it is sent.
type Stats struct {
	ID             string             `json:"id"`
	Tenant         *string            `json:"tenant,omitempty"` // for the operator alone
	Status         store.Status       `json:"status"`
	DisabledReason string             `json:"disabled_reason,omitempty"`
	Signed         bool               `json:"signed"` // deliveries carry signatures
	Pending        int                `json:"pending"`
	InFlight       int                `json:"in_flight"` // of the pending ones, those under way
	OldestPending  Timestamp          `json:"oldest_pending_at,omitzero"`
	Hour           Window             `json:"hour"`
	Day            Window             `json:"day"`
	Breaker        dispatcher.Breaker `json:"breaker"`
	Failures       int                `json:"failures"` // in a row
	FailingSince   Timestamp          `json:"failing_since,omitzero"`
	NextProbeAt    Timestamp          `json:"next_probe_at,omitzero"` // while the breaker is open
}

// Window has the results of attempts in a span of time. Without attempts, their durations are left
// out.
type Window struct {
	Delivered   int      `json:"delivered"`              // attempts that succeeded
	Failed      int      `json:"failed"`                 // attempts that did not
	SuccessRate *float64 `json:"success_rate,omitempty"` // 0 to 1
	P50         *int64   `json:"p50_ms,omitempty"`       // of the answered ones, failed or not
	P95         *int64   `json:"p95_ms,omitempty"`
}

// Stats returns what a response shows of a webhook's figures.
func (v View) Stats(sub *store.Subscription, s *dispatcher.SubscriptionStats) Stats {
	return Stats{
		ID: sub.ID, Tenant: v.tenant(sub.Tenant), Status: sub.Status,
		DisabledReason: s.DisabledReason, Signed: sub.Signed(),
		Pending: s.Pending, InFlight: s.InFlight, OldestPending: Timestamp(s.OldestPending),
		Hour: newWindow(&s.Hour), Day: newWindow(&s.Day),
		Breaker: s.Breaker, Failures: s.Failures, FailingSince: Timestamp(s.FailingSince),
		NextProbeAt: Timestamp(s.NextProbeAt),
	}
}

// Figures is the response of /webhooks.figures.
type Figures struct {
	Start         Timestamp `json:"start"`          // when the first of the buckets begins
	BucketSeconds int       `json:"bucket_seconds"` // how long each is
	Data          []Window  `json:"data"`           // oldest first; the last is not over
}

// NewFigures returns the response for figures.
func NewFigures(f *store.Figures) Figures {
	out := Figures{Start: Timestamp(f.Start), BucketSeconds: int(f.Each / time.Second),
		Data: make([]Window, len(f.Sums))}
	for i := range f.Sums {
		sum := f.Sums[i].Stats()
		out.Data[i] = newWindow(&sum)
	}
	return out
}

// HostStats is the response of /webhooks.stats that has the figures of the whole host, which only
// an operator may ask for. What is counted since a start is counted by this process.
type HostStats struct {
	Subscriptions int       `json:"subscriptions"` // subscribed or not
	Pending       int       `json:"pending"`
	InFlight      int       `json:"in_flight"`
	OldestPending Timestamp `json:"oldest_pending_at,omitzero"`

	// Unwanted is how many events no webhook got, by type, since the store was opened.
	Unwanted map[string]int `json:"unwanted"`

	// Since the Dispatcher was made.
	Attempts  uint64 `json:"attempts"`
	Delivered uint64 `json:"delivered"`
	Retried   uint64 `json:"retried"` // attempts that failed and are followed by another
	Dead      uint64 `json:"dead"`
	Pings     uint64 `json:"pings"`

	// OutageSince is since when this host's own network seems to be down.
	OutageSince Timestamp `json:"outage_since,omitzero"`
}

// NewHostStats returns the response for the figures of the host.
func NewHostStats(s *dispatcher.Stats) HostStats {
	out := HostStats{
		Subscriptions: s.Subscriptions, Pending: s.Pending, InFlight: s.InFlight,
		OldestPending: Timestamp(s.OldestPending), Unwanted: s.Unwanted,
		Attempts: s.Attempts, Delivered: s.Delivered, Retried: s.Retried, Dead: s.Dead, Pings: s.Pings,
		OutageSince: Timestamp(s.OutageSince),
	}
	if out.Unwanted == nil {
		out.Unwanted = map[string]int{}
	}
	return out
}

// newWindow leaves out what cannot be said: a rate of no attempts would be read as 0 %, and a time
// of no answers as an endpoint that is very fast.
func newWindow(w *store.AttemptStats) Window {
	out := Window{Delivered: w.Delivered, Failed: w.Failed}
	if all := w.Delivered + w.Failed; all > 0 {
		rate := float64(w.Delivered) / float64(all)
		out.SuccessRate = &rate
	}
	if w.P50 > 0 { // some attempt was answered
		p50, p95 := millis(w.P50), millis(w.P95)
		out.P50, out.P95 = &p50, &p95
	}
	return out
}
