package dispatcher

import (
	"context"

	"github.com/outhook/outhook/dispatcher/internal/actor"
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
	ActionSubscribe   = ActionKind(actor.Subscribe) // one was made, replaced, or subscribed again
	ActionUpdate      = ActionKind(actor.Update)    // its status stays
	ActionUnsubscribe = ActionKind(actor.Unsubscribe)
	ActionPause       = ActionKind(actor.Pause)
	ActionResume      = ActionKind(actor.Resume)
	ActionRotate      = ActionKind(actor.Rotate)
	ActionDelete      = ActionKind(actor.Delete)
	ActionPing        = ActionKind(actor.Ping)
	ActionVerify      = ActionKind(actor.Verify) // its endpoint has agreed to deliveries
	ActionRedeliver   = ActionKind(actor.Redeliver)
	ActionReplay      = ActionKind(actor.Replay)
	ActionErase       = ActionKind(actor.Erase)
	ActionEraseTenant = ActionKind(actor.EraseTenant)

	// ActionDisable is an unsubscription by Run. See Observer.OnDisabled.
	ActionDisable = ActionKind(actor.Disable)
)

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
