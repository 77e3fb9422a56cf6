package engine

import (
	"context"
	"log/slog"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/store"
)

// logAttempt logs an attempt: Debug, or Warn if it failed. It comes when the outcome is recorded,
// as only the store knows whether the attempt has opened the breaker. res is nil if the outcome
// could not be recorded.
func (r *run) logAttempt(c *store.Claim, o *store.Outcome, res *store.Result) {
	a := &o.Attempt
	if o.State == store.Canceled { // by the host's filter, without an attempt
		return
	}
	level, message := slog.LevelDebug, "outhook: attempt succeeded"
	if a.Error != "" {
		level, message = slog.LevelWarn, "outhook: attempt failed"
	}
	ctx := context.Background()
	// Asked here because the attributes are made before LogAttrs asks, for each success too.
	if !r.Logger.Enabled(ctx, level) {
		return
	}
	attrs := append(send.Attrs(c), slog.Int("attempt", a.Number))
	attrs = append(attrs, send.ResultAttrs(a)...)
	switch {
	case a.Error == "" || res == nil:
	case res.Ignored:
		attrs = append(attrs, slog.Bool("ignored", true)) // the delivery had ended already
	case o.State == store.Pending:
		attrs = append(attrs, slog.Bool("retry", true),
			slog.Time("retry_at", retryAt(o, res.After, time.Now())))
	default:
		attrs = append(attrs, slog.Bool("retry", false))
	}
	r.Logger.LogAttrs(ctx, level, message, attrs...)
}

// retryAt returns when a delivery may be attempted again, at the earliest. after is the health of
// its subscription, whose times are those of the store's clock.
func retryAt(o *store.Outcome, after *store.Health, now time.Time) time.Time {
	at := now.Add(o.RetryIn)
	if o.Parks(after) { // it waits for the breaker alone
		at = now
	}
	for _, hold := range [...]time.Time{after.NextProbeAt, after.HeldUntil} {
		if hold.After(at) {
			at = hold
		}
	}
	return at
}
