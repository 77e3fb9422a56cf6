// Package observe turns what happens into calls of a host's functions: of its Observer, and of its
// Tracer for an attempt.
//
// What the host does itself is told at once, in the goroutine of its call, what Run does by the
// queue of package notify. An argument that is not cheap to make is made only if the host has a
// function for it: most hosts have few.
package observe

import (
	"context"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/actor"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Observer has the functions of a dispatcher.Observer, which says what they are told. Each may be
// nil.
type Observer struct {
	OnPublish                     func([]events.Event)
	OnSubscription, OnDelete      func(store.Subscription)
	OnAction                      func(name string, a actor.Action)
	OnAttemptStart, OnAttempt     func(Info)
	OnPing                        func(Info)
	OnDelivered, OnDead           func(Info)
	OnCanceled                    func(Cancellation)
	OnBreakerOpen, OnBreakerClose func(Info)
	OnDisabled                    func(store.Subscription)
	OnOutageStart, OnOutageEnd    func(since, until time.Time)
	OnStoreTrouble                func(op string, err error)
}

// Info is a dispatcher.Info.
type Info struct {
	Subscription store.Subscription
	EventID      string
	EventType    string
	Tenant       string
	EventTime    time.Time
	EnqueuedAt   time.Time
	Trace        string
	Attempt      store.Attempt
	State        store.State
	RetryIn      time.Duration
	Failures     int
}

// newInfo returns what a claim says of an attempt; the Attempt itself and what follows are to be
// set.
func newInfo(c *store.Claim) Info {
	return Info{
		Subscription: *c.Subscription,
		EventID:      c.EventID,
		EventType:    c.EventType,
		Tenant:       c.Tenant,
		EventTime:    c.EventTime,
		EnqueuedAt:   c.EnqueuedAt,
		Trace:        c.Trace,
		Failures:     c.Health.Failures,
	}
}

// Cancellation is a dispatcher.Cancellation.
type Cancellation struct {
	SubscriptionID, EventID, Tenant string
	Reason                          string
}

// Reasons of cancellations, beside the engine's own.
const (
	ReasonErased       = "erased"
	ReasonUnsubscribed = "unsubscribed"
)

// AttemptSpan begins the span of an attempt; see dispatcher.Tracer.
type AttemptSpan func(ctx context.Context, info Info) (
	traced context.Context, traceparent string, end func(Info),
)
