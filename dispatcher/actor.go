package dispatcher

import (
	"context"
	"log/slog"

	"github.com/outhook/outhook/dispatcher/internal/actor"
	"github.com/outhook/outhook/store"
)

// MaxActor is how many characters the name of an actor has at most.
const MaxActor = actor.Max

// WithActor returns a context that says who acts: the user, key or job for which the host calls the
// Dispatcher with it. The name is in the [Action] that Observer.OnAction gets, and in an Info
// record of the log.
//
// What can't be printed, such as a control character or one that changes the direction of text, is
// replaced by U+FFFD, and what is beyond MaxActor characters is cut off. It decides nothing: who
// may do what is the host's to check.
func WithActor(ctx context.Context, name string) context.Context {
	return actor.With(ctx, name)
}

// Actor returns the name that WithActor has given a context; empty if it has none.
func Actor(ctx context.Context) string { return actor.Of(ctx) }

// ActionKind says what an Action is.
type ActionKind string

const (
	ActionSubscribe   ActionKind = "subscribe" // one was made, replaced, or subscribed again
	ActionUpdate      ActionKind = "update"    // its status stays
	ActionUnsubscribe ActionKind = "unsubscribe"
	ActionPause       ActionKind = "pause"
	ActionResume      ActionKind = "resume"
	ActionRotate      ActionKind = "rotate"
	ActionDelete      ActionKind = "delete"
	ActionPing        ActionKind = "ping"
	ActionVerify      ActionKind = "verify" // its endpoint has agreed to deliveries
	ActionRedeliver   ActionKind = "redeliver"
	ActionReplay      ActionKind = "replay"
	ActionErase       ActionKind = "erase"
	ActionEraseTenant ActionKind = "erase_tenant"

	// ActionDisable is an unsubscription by Run. See Observer.OnDisabled.
	ActionDisable ActionKind = "disable"
)

// of returns the kind of an update that has changed the status. Other kinds stay as they are.
func (k ActionKind) of(was, is store.Status) ActionKind {
	switch {
	case k != ActionUpdate || was == is:
		return k
	case is == store.Unsubscribed:
		return ActionUnsubscribe
	case is == store.Unverified && was == store.Subscribed: // its URL has changed
		return k
	case is == store.Paused:
		return ActionPause
	case was == store.Paused:
		return ActionResume
	}
	return ActionSubscribe
}

// Action is a change that was asked for and made, or a ping. Publishing and deliveries are none.
type Action struct {
	Kind  ActionKind
	Actor string // who asked for it: see WithActor. Empty if nobody was named, and for Run

	// What it was done to. A replay has those that its query names, if any; with AnyTenant it is of
	// the tenant "".
	Tenant         string
	SubscriptionID string
	EventID        string

	// Count is how many deliveries a replay has made pending, or how many events the erasure of a
	// tenant has erased. It is not zero if the call has failed after some of its steps.
	Count int
}

// acted tells of an action, and logs it if an actor is named: a host that names none has no use for
// the record. Tell is as with the other methods of notifier.
func (n *notifier) acted(ctx context.Context, tell func(func()), a Action) {
	a.Actor = Actor(ctx)
	if a.Actor != "" {
		attrs := actor.Attrs(string(a.Kind), a.Actor, a.Tenant, a.SubscriptionID, a.EventID)
		if a.Kind == ActionReplay || a.Kind == ActionEraseTenant {
			attrs = append(attrs, slog.Int("count", a.Count))
		}
		n.log.LogAttrs(ctx, slog.LevelInfo, "outhook: action", attrs...)
	}
	if n.o.OnAction != nil {
		tell(func() { n.o.OnAction(a) })
	}
}
