package httpapi

import (
	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// stats is the response of /webhooks.stats.
type stats struct {
	ID             string             `json:"id"`
	Status         store.Status       `json:"status"`
	DisabledReason string             `json:"disabled_reason,omitempty"`
	Pending        int                `json:"pending"`
	InFlight       int                `json:"in_flight"`
	OldestPending  timestamp          `json:"oldest_pending_at,omitzero"`
	Hour           window             `json:"hour"`
	Day            window             `json:"day"`
	Breaker        dispatcher.Breaker `json:"breaker"`
	Failures       int                `json:"failures"`
	FailingSince   timestamp          `json:"failing_since,omitzero"`
	NextProbeAt    timestamp          `json:"next_probe_at,omitzero"`
}

// window has the results of attempts in a span of time. Without attempts, their durations are left
// out.
type window struct {
	Delivered   int      `json:"delivered"`
	Failed      int      `json:"failed"`
	SuccessRate *float64 `json:"success_rate,omitempty"`
	P50         *int64   `json:"p50_ms,omitempty"`
	P95         *int64   `json:"p95_ms,omitempty"`
}

func newStats(sub *store.Subscription, s *dispatcher.SubscriptionStats) stats {
	return stats{
		ID: sub.ID, Status: sub.Status, DisabledReason: s.DisabledReason,
		Pending: s.Pending, InFlight: s.InFlight, OldestPending: timestamp(s.OldestPending),
		Hour: newWindow(&s.Hour), Day: newWindow(&s.Day),
		Breaker: s.Breaker, Failures: s.Failures, FailingSince: timestamp(s.FailingSince),
		NextProbeAt: timestamp(s.NextProbeAt),
	}
}

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
