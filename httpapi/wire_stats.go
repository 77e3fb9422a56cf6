package httpapi

import (
	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// stats is the response of /webhooks.stats. Its figures were read at one time, but attempts under
// way go on: pending may have changed by the time that it is sent.
type stats struct {
	ID             string             `json:"id"`
	Status         store.Status       `json:"status"`
	DisabledReason string             `json:"disabled_reason,omitempty"`
	Signed         bool               `json:"signed"` // deliveries carry signatures
	Pending        int                `json:"pending"`
	InFlight       int                `json:"in_flight"` // of the pending ones, those under way
	OldestPending  timestamp          `json:"oldest_pending_at,omitzero"`
	Hour           window             `json:"hour"`
	Day            window             `json:"day"`
	Breaker        dispatcher.Breaker `json:"breaker"`
	Failures       int                `json:"failures"` // in a row
	FailingSince   timestamp          `json:"failing_since,omitzero"`
	NextProbeAt    timestamp          `json:"next_probe_at,omitzero"` // while the breaker is open
}

// window has the results of attempts in a span of time. Without attempts, their durations are left
// out.
type window struct {
	Delivered   int      `json:"delivered"`              // attempts that succeeded
	Failed      int      `json:"failed"`                 // attempts that did not
	SuccessRate *float64 `json:"success_rate,omitempty"` // 0 to 1
	P50         *int64   `json:"p50_ms,omitempty"`       // of the answered ones, failed or not
	P95         *int64   `json:"p95_ms,omitempty"`
}

// newStats returns what a response shows of a webhook's figures.
func newStats(sub *store.Subscription, s *dispatcher.SubscriptionStats) stats {
	return stats{
		ID: sub.ID, Status: sub.Status, DisabledReason: s.DisabledReason,
		Signed:  sub.Signed(),
		Pending: s.Pending, InFlight: s.InFlight, OldestPending: timestamp(s.OldestPending),
		Hour: newWindow(&s.Hour), Day: newWindow(&s.Day),
		Breaker: s.Breaker, Failures: s.Failures, FailingSince: timestamp(s.FailingSince),
		NextProbeAt: timestamp(s.NextProbeAt),
	}
}

// newWindow leaves out what cannot be said: a rate of no attempts would be read as 0 %, and a time
// of no answers as an endpoint that is very fast.
func newWindow(w *store.AttemptStats) window {
	out := window{Delivered: w.Delivered, Failed: w.Failed}
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
