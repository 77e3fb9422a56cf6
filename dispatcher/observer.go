package dispatcher

import (
	"time"

	"github.com/outhook/outhook/dispatcher/internal/actor"
	"github.com/outhook/outhook/dispatcher/internal/observe"
	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Observer is told what happens, after it is stored. Each of its functions may be nil. A panic in
// one is caught and logged.
//
// For what a method of the Dispatcher does, the functions are called in the goroutine that called
// the method. For what Run does, they are called in one goroutine of Run, one after another, in the
// order in which things happened. A slow function delays no delivery: when more than a few thousand
// calls wait, further ones are dropped and their number is logged. OnPublish, OnSubscription,
// OnCanceled and OnAction are called in both ways, so they must be safe for concurrent use.
type Observer struct {
	// OnPublish gets the events of one Publish or PublishTx, or the operational events that Run has
	// published. PublishTx says when it is called.
	OnPublish func([]events.Event)

	// OnSubscription gets a subscription that was made or changed, as it is now.
	OnSubscription func(store.Subscription)

	// OnDelete gets a subscription that was deleted, with all its deliveries, as it was before. If
	// it could not be read, only its ID is set.
	OnDelete func(store.Subscription)

	// OnAction is told of each change that was asked for, and of pings, with who asked: see
	// WithActor. It is called after the others that tell of the same. It is an audit trail if the
	// host writes it down.
	OnAction func(Action)

	// OnAttemptStart is called when an attempt starts: of Info.Attempt, Number and At are set.
	OnAttemptStart func(Info)

	// OnAttempt is called when an attempt has been recorded: Info.State is the state of the
	// delivery then. If that is store.Pending it is retried after Info.RetryIn.
	OnAttempt func(Info)

	// OnPing is called when a Ping was sent, in the goroutine that called Ping: Info.Attempt has
	// what came back. It is of no delivery, so State is empty. Tenant and Subscription say who
	// pings.
	OnPing func(Info)

	// OnDelivered and OnDead are called, after OnAttempt, when it ended the delivery.
	OnDelivered, OnDead func(Info)

	// OnCanceled is called when pending deliveries were canceled: one that Options.Filter refused,
	// all of an event or a tenant that was erased, or all of a subscription that was unsubscribed.
	// After an erasure or an unsubscription it is called even if nothing was pending.
	OnCanceled func(Cancellation)

	// OnBreakerOpen is called when a subscription's failures in a row reach BreakerThreshold,
	// OnBreakerClose when a success ends them.
	OnBreakerOpen, OnBreakerClose func(Info)

	// OnDisabled gets a subscription that the Dispatcher has unsubscribed; its DisabledReason says
	// why. This is where to tell its owner.
	OnDisabled func(store.Subscription)

	// OnOutageStart and OnOutageEnd are called when it looks as if the host's own network is down,
	// and when an endpoint has been reached again. In between, attempts that fail before a
	// connection stands are not counted and not told to OnAttempt, and one is made a second.
	OnOutageStart, OnOutageEnd func(Outage)

	// OnStoreTrouble is called when a call of the store by Run fails. op says which: "claim",
	// "open" (a subscription's secrets), "finish", "release", "disable", "announce" (operational
	// events) or "prune". Run tries again by itself.
	OnStoreTrouble func(op string, err error)
}

// Info describes an attempt to the functions of an Observer and a Tracer.
type Info struct {
	Subscription store.Subscription // as it was when the attempt started; for reading only
	EventID      string
	EventType    string
	Tenant       string
	EventTime    time.Time     // when the event happened
	EnqueuedAt   time.Time     // when it was published
	Trace        string        // the event's
	Attempt      store.Attempt // the request and its result
	State        store.State   // of the delivery now
	RetryIn      time.Duration // until the next attempt, when State is store.Pending
	Failures     int           // of the subscription in a row, this one included
}

// Outage is a time in which the host's own network seems to have been down: at least five hosts
// were tried within a minute, nine of ten attempts failed before a connection stood, and none
// succeeded.
type Outage struct {
	Since time.Time // when that was seen
	Until time.Time // when an endpoint was reached again; zero in OnOutageStart
}

// Cancellation says which deliveries were canceled and why. An empty field does not narrow them
// down: without an EventID they are those of all events, without a SubscriptionID those of all
// subscriptions of the tenant.
type Cancellation struct {
	SubscriptionID string
	EventID        string // an event of the tenant
	Tenant         string // always the one they are of; empty is a tenant too
	// what is now their LastError: "unsubscribed" or a DisabledReason, ReasonFiltered, ReasonErased
	Reason string
}

// The reasons of deliveries that were canceled one by one.
const (
	ReasonFiltered = send.ReasonFiltered  // "filtered": Options.Filter did not want it
	ReasonErased   = observe.ReasonErased // "erased": the event was erased
	// ReasonUnsubscribed is "unsubscribed": the owner of the subscription unsubscribed it.
	ReasonUnsubscribed = observe.ReasonUnsubscribed
)

// as returns f as a function of what a conversion takes; nil if f is.
func as[A, B any](f func(B), convert func(A) B) func(A) {
	if f == nil {
		return nil
	}
	return func(a A) { f(convert(a)) }
}

func toInfo(i observe.Info) Info { return Info(i) }

// functions returns the functions of o, which the host may change later.
func (o Observer) functions() observe.Observer {
	outage := func(f func(Outage)) func(since, until time.Time) {
		if f == nil {
			return nil
		}
		return func(since, until time.Time) { f(Outage{since, until}) }
	}
	f := observe.Observer{
		OnPublish:      o.OnPublish,
		OnSubscription: o.OnSubscription,
		OnDelete:       o.OnDelete,
		OnAttemptStart: as(o.OnAttemptStart, toInfo),
		OnAttempt:      as(o.OnAttempt, toInfo),
		OnPing:         as(o.OnPing, toInfo),
		OnDelivered:    as(o.OnDelivered, toInfo),
		OnDead:         as(o.OnDead, toInfo),
		OnCanceled: as(o.OnCanceled,
			func(c observe.Cancellation) Cancellation { return Cancellation(c) }),
		OnBreakerOpen:  as(o.OnBreakerOpen, toInfo),
		OnBreakerClose: as(o.OnBreakerClose, toInfo),
		OnDisabled:     o.OnDisabled,
		OnOutageStart:  outage(o.OnOutageStart),
		OnOutageEnd:    outage(o.OnOutageEnd),
		OnStoreTrouble: o.OnStoreTrouble,
	}
	if o.OnAction != nil {
		f.OnAction = func(name string, a actor.Action) {
			o.OnAction(Action{
				ActionKind(a.Kind), name, a.Tenant, a.SubscriptionID, a.EventID, a.Count,
			})
		}
	}
	return f
}
