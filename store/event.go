package store

import (
	"time"

	"github.com/outhook/outhook/events"
)

// StoredEvent is an event as Enqueue has stored it.
type StoredEvent struct {
	ID, Type, Tenant, Key string

	Time       time.Time // when it happened, in milliseconds
	EnqueuedAt time.Time
	Body       []byte // the wire body; empty if the event was erased
	Trace      string // empty if the event was erased

	// Tags, NotBefore and ExpiresAt are the event's: sorted and without repeats, to the
	// millisecond.
	Tags                 []string
	NotBefore, ExpiresAt time.Time
}

// Erased reports whether the event was erased ([History.Erase]). Every other event has a body.
func (e *StoredEvent) Erased() bool { return len(e.Body) == 0 }

// ReasonExpired is the LastError of deliveries that were not delivered before their event expired.
const ReasonExpired = "expired"

// Exclusion is why a subscription gets no delivery of an event.
type Exclusion string

const (
	// ExcludedType says that no pattern of the subscription matches the event's type.
	ExcludedType Exclusion = "type"

	// ExcludedLater says that the event happened more than SubscribeGrace before the subscription
	// was subscribed.
	ExcludedLater Exclusion = "subscribed_later"

	// ExcludedUnsubscribed says that its owner has unsubscribed the subscription. One that the
	// sender has disabled gets canceled deliveries.
	ExcludedUnsubscribed Exclusion = "unsubscribed"

	// ExcludedFilter says that the subscription's Filter does not take the event's payload
	// ([Subscription.Takes]). It is said only of an event that nothing else excludes.
	ExcludedFilter Exclusion = "filter"
)

// Excludes returns why Enqueue makes no delivery for s of an event of its tenant that happened at
// one time and is enqueued at another; empty if it makes one, provided that s Takes the payload. If
// several reasons apply, it is the first of the constants.
func (s *Subscription) Excludes(eventType string, happened, enqueued time.Time) Exclusion {
	// The clocks of several hosts differ, so an event may seem to come a little before its
	// subscriber. What happens now is for all that are there, also if the clock has been set back
	// since they subscribed.
	latest := happened.Add(SubscribeGrace)
	switch {
	case !events.Wants(s.Events, eventType):
		return ExcludedType
	case s.SubscribedAt.After(latest) && enqueued.After(latest):
		return ExcludedLater
	case !s.Collects() && !s.Disabled():
		return ExcludedUnsubscribed
	}
	return ""
}
