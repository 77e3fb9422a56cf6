package dispatcher

import (
	"context"
	"log/slog"

	"github.com/outhook/outhook/store"
)

// logAttempt logs an attempt: Debug, or Warn when it failed.
func (d *Dispatcher) logAttempt(c *store.Claim, a *store.Attempt) {
	level, message := slog.LevelDebug, "outhook: attempt succeeded"
	if a.Error != "" {
		level, message = slog.LevelWarn, "outhook: attempt failed"
	}
	ctx := context.Background()
	if !d.log.Enabled(ctx, level) {
		return
	}
	d.log.LogAttrs(ctx, level, message,
		slog.String("event_id", c.EventID),
		slog.String("subscription_id", c.SubscriptionID),
		slog.Int("attempt", a.Number),
		slog.Int("status", a.Status),
		slog.Duration("duration", a.Duration),
		slog.String("error_class", string(ErrorClass(a.Error))),
		slog.String("error", a.Error),
	)
}
