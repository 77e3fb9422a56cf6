package actor

import (
	"context"
	"log/slog"
)

// Kind says what an Action is.
type Kind string

// The kinds of actions.
const (
	Subscribe   Kind = "subscribe"
	Update      Kind = "update"
	Unsubscribe Kind = "unsubscribe"
	Pause       Kind = "pause"
	Resume      Kind = "resume"
	Rotate      Kind = "rotate"
	Delete      Kind = "delete"
	Ping        Kind = "ping"
	Verify      Kind = "verify"
	Redeliver   Kind = "redeliver"
	Replay      Kind = "replay"
	Erase       Kind = "erase"
	EraseTenant Kind = "erase_tenant"
	Disable     Kind = "disable"
)

// Action is a change that was asked for and made, or a ping. Publishing and deliveries are none.
type Action struct {
	Kind Kind

	// What it was done to; what is empty does not apply.
	Tenant         string
	SubscriptionID string
	EventID        string

	// Count is how many deliveries a replay has made pending, or how many events were erased of a
	// tenant.
	Count int
}

// Log writes a record of the action, unless nobody is named in the context: a host that names none
// has no use for it. What is empty is left out.
func (a *Action) Log(ctx context.Context, log *slog.Logger) {
	name := Of(ctx)
	if name == "" {
		return
	}
	attrs := []slog.Attr{slog.String("action", string(a.Kind)), slog.String("actor", name)}
	for _, attr := range [...]slog.Attr{
		slog.String("tenant", a.Tenant),
		slog.String("subscription_id", a.SubscriptionID),
		slog.String("event_id", a.EventID),
	} {
		if attr.Value.String() != "" {
			attrs = append(attrs, attr)
		}
	}
	if a.Kind == Replay || a.Kind == EraseTenant {
		attrs = append(attrs, slog.Int("count", a.Count))
	}
	log.LogAttrs(ctx, slog.LevelInfo, "outhook: action", attrs...)
}
