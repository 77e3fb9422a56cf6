package store

import (
	"context"
	"time"

	"github.com/outhook/outhook/events"
)

// Store keeps what a Dispatcher must not lose. See the package comment for the rules that hold for every method.
type Store interface {
	Subscriptions
	Queue
	History
}

// Subscriptions is who gets what.
type Subscriptions interface {
	// CreateSubscription stores a new subscription and returns it as stored: the store sets its times.
	//
	// ErrConflict when the ID is taken, by whatever tenant. Not idempotent: after an error of unknown effect, look.
	// Bound: one commit.
	CreateSubscription(ctx context.Context, sub Subscription) (Subscription, error)

	// UpdateSubscription gives change the subscription to alter and stores what it leaves, in one transaction, and
	// returns it as stored. ID, Tenant and the times are the store's: what change does to them is undone.
	//
	// When Status becomes Unsubscribed, every pending delivery of the subscription becomes Canceled with the
	// DisabledReason, or "unsubscribed", as its LastError, and its leases are void. When Status becomes Subscribed,
	// SubscribedAt is now and the health starts anew; the latter too when the URL changes. Whatever the number of
	// deliveries, this holds for every other method as soon as UpdateSubscription returns and takes no time that
	// grows with it (a store may tidy up later, in Prune).
	//
	// An error from change undoes all and is returned as it is. change may run more than once, and must not call the
	// store. ErrNotFound when there is no such subscription. Bound: one commit, and as many more as others change the same
	// subscription meanwhile.
	UpdateSubscription(ctx context.Context, id string, change func(*Subscription) error) (Subscription, error)

	// DeleteSubscription removes the subscription, its deliveries and its history. As with UpdateSubscription, that
	// holds as soon as it returns, and its records may go later, in Prune. The ID may be used again at once.
	//
	// ErrNotFound when there is no such subscription. Bound: one commit.
	DeleteSubscription(ctx context.Context, id string) error

	// Subscription returns the subscription. ErrNotFound when there is none. Bound: one read.
	Subscription(ctx context.Context, id string) (Subscription, error)

	// Subscriptions lists subscriptions, oldest first. A cursor that is none is an *events.InvalidError.
	//
	// Bound: it reads the records of the page and a few more, so time and memory grow with the page alone, and a page without a
	// limit holds all of them: some microseconds and some hundred bytes each. Use a Limit where there may be many.
	Subscriptions(ctx context.Context, q SubscriptionQuery) (Page[Subscription], error)
}

// Queue is what is to be delivered.
type Queue interface {
	// Enqueue stores each event once and one delivery for every subscription that is of the event's tenant, wants its
	// type (events.Wants), and was subscribed (SubscribedAt) no later than SubscribeGrace after the event's Time: pending
	// when it is Subscribed, canceled with its DisabledReason when it is Disabled. An event that nobody wants is not
	// stored. All or nothing, and on disk when it returns nil.
	//
	// Idempotent by event ID, for as long as the event is stored: the same content (type, tenant, key, time to the
	// millisecond, wire body) again changes nothing, other content is ErrConflict. Within one call likewise. The trace is
	// not content: that of the first call stays. Of an event that was erased the content is not known any more, and
	// enqueueing its ID again changes nothing.
	//
	// The events are validated and their wire bodies built here: an *events.InvalidError stores nothing. Bound: one commit,
	// whose size is that of the events and of the lists of those who want them.
	Enqueue(ctx context.Context, evs ...events.Event) error

	// Claim leases deliveries that are due, each with a new token, until the lease runs out or Finish or Release ends
	// it. It is fair: there are three classes of subscriptions, those that are Healthy, those that are new (neither Healthy
	// nor with Failures), and those with Failures. The classes that have something it may take come in turn, one delivery
	// each, and so do the subscriptions within a class; never more than the request allows. So a subscription's backlog
	// never delays another's, and however many fail, they delay neither those that work nor those that are new. Its cost
	// does not grow with the backlog, the history or the number of subscriptions that have nothing due.
	//
	// Of one subscription, first attempts are claimed in the order in which Enqueue stored the events, and retries
	// that are due take turns with them. A delivery with a Key is not claimed while an earlier one of the same
	// subscription with the same Key is pending. Nothing is claimed of a subscription that is held or paused.
	//
	// A record that can't be read (ErrCorrupt) makes its delivery dead, and nothing else; a Claim that meets many of them
	// returns what it has, with a Wait of zero. Bound: by req.Max, and by the
	// number of subscriptions that have got something due since the last Claim.
	Claim(ctx context.Context, req ClaimRequest) (ClaimResult, error)

	// Finish records what came of claims, in one transaction, in order, and returns one Result for each.
	//
	// An outcome counts when its token is the delivery's present one (a lease that has run out but was not claimed
	// again still counts). Then the attempt is recorded, the delivery takes the state, and the subscription's health
	// follows. After Delivered it is Healthy and all else zero but SlowStart, which is then the number of Failures that
	// this success ended, at most MaxSlowStart, or one less than before when there were none. After Pending and Dead it
	// is not Healthy, Failures grows by one, SlowStart is zero, and ProbeIn, when positive, keeps the longer of NextProbeAt
	// and now + ProbeIn, and adds one to Holds unless the subscription is held already. Canceled records no attempt and
	// leaves the health as it is.
	// With a token that is not the present one, a success still counts, just so, when the delivery is pending or
	// canceled: it ends it as Delivered (the endpoint has it); everything else is ignored. Calling again with the same
	// outcomes is safe: they are then ignored. Attempts are numbered as they are recorded.
	//
	// Losing a Finish in a crash repeats an attempt and no more, so a store may let it wait a few milliseconds for a
	// commit to ride on. The lease of a success stops counting against the limits of Claim as soon as Finish is called;
	// that of a failure only when it is recorded, so that the next Claim goes by the health that it leaves. Bound: one
	// commit, by the number of outcomes.
	Finish(ctx context.Context, outcomes ...Outcome) ([]Result, error)

	// Release gives claims back unattempted: nothing is counted or recorded, and they are due at once, each where it
	// was in its subscription's order. Tokens that are not the present ones are ignored. Bound: by the number of leases.
	Release(ctx context.Context, leases ...Lease) error

	// Pause keeps this Store value, not others on the same data, from claiming deliveries of a subscription for d,
	// MaxDuration at most, from now on, in place of an earlier pause; with zero or less it ends one. It is not kept on disk, and no error for a
	// subscription that does not exist. It is what a rate limit is made of. Bound: one read; it waits for nobody's commit.
	Pause(ctx context.Context, subscriptionID string, d time.Duration) error

	// Ready returns a channel with one slot that gets a value whenever there may be something new to claim: after
	// Enqueue, Requeue, Release, Close, an update or a Pause that lets claims go on, and as soon as Finish has made room in the limits of Claim
	// (which may be before it returns). It is for one reader, the same channel at each call, and never closed. Whoever
	// waits must also heed Claims.Wait.
	Ready() <-chan struct{}
}

// History is what has become of it.
type History interface {
	// Deliveries lists deliveries, newest first: by the order in which their events were enqueued, backwards. A cursor
	// that is none is an *events.InvalidError. Bound: by q.Limit and what must be read to find so many; with q.Count, by the
	// number that match.
	Deliveries(ctx context.Context, q DeliveryQuery) (Page[Delivery], error)

	// Attempts returns the counted attempts of a delivery, oldest first; none before the first. ErrNotFound when there
	// is no such delivery. Bound: one read.
	Attempts(ctx context.Context, subscriptionID, eventID string) ([]Attempt, error)

	// Requeue makes deliveries that match pending and due at once, with Claim.Retry at zero and their attempts kept. It
	// takes one step of a listing, in the order of Deliveries: at most q.Limit that match, in one transaction. It returns
	// how many it changed and the cursor for the next step, "" after the last. A step goes on where the last one ended and
	// reads nothing that an earlier one has passed.
	//
	// Deliveries of a subscription that is not Subscribed are passed over, and so are those of erased events. When q.States
	// names Pending, deliveries that wait for a retry and are not leased are made due at once; they count too, and keep
	// their Retry. The subscriptions of all that match, due ones and leased ones too, are not held any longer: whoever calls
	// this has reason to think that their endpoints work again. Their health stays as it is otherwise. Bound: as Deliveries,
	// and one commit of at most q.Limit changes.
	Requeue(ctx context.Context, q DeliveryQuery) (n int, next string, err error)

	// Erase removes what events carried: their bodies, those of Outcome.Body, their traces, and every Response in the
	// history of their deliveries. Pending deliveries become Canceled with "erased" as their LastError, and their leases
	// are void. Deliveries and attempts stay in the history otherwise. No later call of any method returns what was
	// removed; how soon its bytes leave the disk is the store's to document. An attempt that is recorded later, of a late
	// success, has no Response.
	//
	// It takes one step, of at most q.Limit events, in one transaction, and returns how many events it changed and the
	// cursor for the next step, "" after the last. Events that were erased already are not counted. ErrNotFound when
	// q.EventID names none that is stored; a cursor that is none is an *events.InvalidError. Bound: by q.Limit and the
	// deliveries of the events that it erases.
	Erase(ctx context.Context, q EraseQuery) (n int, next string, err error)

	// Prune takes one bounded step of housekeeping: it removes finished deliveries past their retention, events that no
	// delivery refers to any more, and what UpdateSubscription and DeleteSubscription left. It reports whether there is
	// more to do. Bound: a step is short, a few milliseconds, however much is past its retention.
	Prune(ctx context.Context, r Retention) (more bool, err error)

	// Stats returns figures of one subscription, or of the whole store when the ID is empty. ErrNotFound when there is
	// no such subscription.
	//
	// Bound: it does not read the history. In boltstore the time grows with the subscriptions that have something pending: well
	// under a microsecond for each, and some microseconds where the oldest of a subscription has ended since the last call
	// and the next must be found among its retries. pgstore counts what is pending, about 0.1 s for a million, and its InFlight is the replica's own; memstore
	// looks at every delivery.
	Stats(ctx context.Context, subscriptionID string) (Stats, error)
}
