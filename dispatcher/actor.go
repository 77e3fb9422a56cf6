package dispatcher

import (
	"context"

	"github.com/outhook/outhook/dispatcher/internal/actor"
)

// MaxActor is how many characters the name of an actor has at most: 128.
const MaxActor = actor.Max

// WithActor returns a context that names who acts: a user, an API key or a job. If a method of the
// Dispatcher is called with it, the name is in the [Action] that Observer.OnAction gets, and in an
// Info record of the log.
//
// Characters that can't be printed, such as control characters and those that change the direction
// of text, are replaced by U+FFFD, and a name is cut off after MaxActor characters. The name gives
// no permission: the host must check who may do what.
func WithActor(ctx context.Context, name string) context.Context {
	return actor.With(ctx, name)
}

// Actor returns the name that WithActor has given a context; empty if it has none.
func Actor(ctx context.Context) string { return actor.Of(ctx) }

// ActionKind says what an Action is.
type ActionKind string

const (
	// "subscribe": a subscription was made, replaced, or subscribed again.
	ActionSubscribe = ActionKind(actor.Subscribe)
	ActionUpdate    = ActionKind(actor.Update) // "update": changed, with the same status

	ActionUnsubscribe = ActionKind(actor.Unsubscribe) // "unsubscribe"
	ActionPause       = ActionKind(actor.Pause)       // "pause"
	ActionResume      = ActionKind(actor.Resume)      // "resume"
	ActionRotate      = ActionKind(actor.Rotate)      // "rotate"
	ActionDelete      = ActionKind(actor.Delete)      // "delete"
	ActionPing        = ActionKind(actor.Ping)        // "ping"
	ActionVerify      = ActionKind(actor.Verify)      // "verify": its endpoint agreed to deliveries
	ActionRedeliver   = ActionKind(actor.Redeliver)   // "redeliver"
	ActionReplay      = ActionKind(actor.Replay)      // "replay"
	ActionErase       = ActionKind(actor.Erase)       // "erase"
	ActionEraseTenant = ActionKind(actor.EraseTenant) // "erase_tenant"

	// ActionDisable is "disable": Run has unsubscribed it. See Observer.OnDisabled.
	ActionDisable = ActionKind(actor.Disable)
)

// Action is a change that somebody asked for and that was made, or a ping. Publishing an event and
// delivering one are no actions.
type Action struct {
	Kind  ActionKind
	Actor string // who asked for it: see WithActor. Empty if nobody was named, and for Run

	// What it was done to. Those of a replay are its query's; with AnyTenant, Tenant is "".
	Tenant         string
	SubscriptionID string
	EventID        string

	// Count is how many deliveries a replay has made pending, or how many events the erasure of a
	// tenant has erased. It is not zero if the call has failed after some of its steps.
	Count int
}
