package send

import (
	"context"
	"log/slog"
	"net/url"
	"strings"

	"github.com/outhook/outhook/store"
)

// Attrs are the attributes by which a log names what a claim is of. Of the URL they have the host
// alone: its path is often a credential.
func Attrs(c *store.Claim) []slog.Attr {
	attrs := append(make([]slog.Attr, 0, 12), // room for those of the result
		slog.String("event_id", c.EventID), slog.String("event_type", c.EventType))
	return append(attrs, SubscriptionAttrs(c.Subscription)...)
}

// SubscriptionAttrs are the attributes by which a log names a subscription.
func SubscriptionAttrs(sub *store.Subscription) []slog.Attr {
	attrs := []slog.Attr{slog.String("subscription_id", sub.ID)}
	if sub.Tenant != "" {
		attrs = append(attrs, slog.String("tenant", sub.Tenant))
	}
	if u, err := url.Parse(sub.URL); err == nil && u.Host != "" {
		attrs = append(attrs, slog.String("host", strings.ToLower(u.Host)))
	}
	return attrs
}

// ResultAttrs are the attributes of what came back: none that would be empty, and nothing that was
// sent or answered.
func ResultAttrs(a *store.Attempt) []slog.Attr {
	attrs := []slog.Attr{slog.Duration("duration", a.Duration)}
	if a.Status != 0 {
		attrs = append(attrs, slog.Int("status", a.Status))
	}
	if a.Error != "" {
		attrs = append(attrs, slog.String("error_class", Class(a.Error)), slog.String("error", a.Error))
	}
	return attrs
}

// logError logs that something of the host's failed in the attempt of a claim.
func (s *Sender) logError(c *store.Claim, message string, what slog.Attr) {
	s.log.LogAttrs(context.Background(), slog.LevelError, message, append(Attrs(c), what)...)
}
