package store

import (
	"context"

	"github.com/outhook/outhook/events"
)

// Store keeps what a Dispatcher must not lose. The package comment has the rules for every method.
type Store interface {
	Subscriptions
	Queue
	History
}

// Subscriptions are the endpoints that events go to.
type Subscriptions interface {
	// CreateSubscription stores a new subscription and returns it as stored: the store sets its
	// times.
	//
	// It returns [ErrConflict] if the ID is taken, by any tenant. It is not idempotent: after an
	// error of unknown effect, read the subscription. Bound: one commit.
	CreateSubscription(ctx context.Context, sub Subscription) (Subscription, error)

	// UpdateSubscription calls change with the subscription, stores what change makes of it, in one
	// transaction, and returns it as stored. ID, Tenant and the times belong to the store: it
	// undoes changes of them.
	//
	// If Status becomes Unsubscribed, every pending delivery of the subscription becomes Canceled,
	// with DisabledReason or "unsubscribed" as its LastError, and its leases end. If it was
	// Unsubscribed and begins to collect, SubscribedAt is now. Health becomes [Health.Updated]. If
	// Status becomes Paused or Unverified, or the URL empty, nothing else changes: what is pending
	// stays so, and leases run on, but nothing is claimed for as long as [Subscription.Withheld]
	// says why. All this holds for every other method as soon as UpdateSubscription returns, and
	// takes no time that grows with the number of deliveries (a store may finish the work in
	// Prune).
	//
	// An error of change undoes everything and is returned as it is. change may run more than once,
	// and must not call the store. It returns [ErrNotFound] if the subscription does not exist.
	// Bound: one commit, and one more each time that the same subscription is changed meanwhile.
	UpdateSubscription(
		ctx context.Context, id string, change func(*Subscription) error,
	) (Subscription, error)

	// DeleteSubscription removes the subscription, its deliveries and its history. This holds as
	// soon as it returns; a store may remove the records later, in Prune. The ID can be used again
	// at once.
	//
	// It returns [ErrNotFound] if the subscription does not exist. Bound: one commit.
	DeleteSubscription(ctx context.Context, id string) error

	// Subscription returns a subscription. It returns [ErrNotFound] if the subscription does not
	// exist. Bound: one read.
	Subscription(ctx context.Context, id string) (Subscription, error)

	// Subscriptions lists subscriptions, oldest first. An invalid cursor is an
	// *events.InvalidError.
	//
	// Bound: it reads the records of the page and a few more, so time and memory grow with the page
	// alone. A page without a limit holds all of them: some microseconds and some hundred bytes
	// each. Give a Limit if there may be many. With a filter it passes over a bounded number of
	// records, and the page may be short.
	Subscriptions(ctx context.Context, q SubscriptionQuery) (Page[Subscription], error)
}

// Queue stores events and hands out the deliveries that are due.
type Queue interface {
	// Enqueue stores each event once, and one delivery for every subscription of the event's tenant
	// that wants its type (events.Wants) and its payload ([Subscription.Takes], as the event is
	// sent) and was subscribed (SubscribedAt) no later than SubscribeGrace after the event's Time.
	// The delivery is pending if the subscription Collects, and canceled with its DisabledReason if
	// it is Disabled, or else with [ReasonExpired] if the event has expired (ExpiresAt). An event
	// that no subscription wants is not stored. All of it is stored or nothing, and on disk when
	// Enqueue returns nil.
	//
	// Enqueue is idempotent by tenant and event ID for as long as the event is stored, and within
	// one call: the same content again (type, key, time to the millisecond, wire body) changes
	// nothing, and for other content it returns [ErrConflict]. The trace, the tags, NotBefore and
	// ExpiresAt are not content: the first ones stay, so that a caller that computes them anew can
	// try again. The content of an erased event is unknown, so its ID with any content changes
	// nothing. An event is stored for as long as one of its deliveries is: when the last has gone
	// with its subscription, the ID is free, unless the event was erased. An ID is its tenant's:
	// events of two tenants are two events, also if their IDs are the same.
	//
	// Enqueue validates the events and builds their wire bodies: after an *events.InvalidError
	// nothing is stored. Bound: one commit, by the size of the events and of the lists of their
	// subscriptions, and one walk through a payload for each subscription that has a Filter and
	// wants the type.
	Enqueue(ctx context.Context, evs ...events.Event) error

	// Claim leases deliveries that are due, each with a new token, until the lease runs out or
	// Finish or Release ends it. It is fair: the classes of subscriptions ([Health.Class]) take
	// turns, one delivery each. Within a class the next is of the tenant whose leases have taken
	// the least time lately, and of the subscription of that tenant for which the same holds. All
	// stays within what the request allows ([ClaimRequest.Limit], [ClaimRequest.Room], PerTenant,
	// PerHost). So a subscription's backlog delays no other subscription, failing and slow ones
	// delay neither healthy nor new ones, and a tenant with many has no more turns than one with a
	// single one. The cost of a Claim does not grow with the backlog, the history or the number of
	// subscriptions that have nothing due.
	//
	// First attempts of a subscription are claimed in the order in which Enqueue stored the events;
	// retries that are due take turns with them. A delivery with a Key waits until every earlier
	// one of the same subscription and Key has ended. Nothing is claimed of a subscription that is
	// held ([Health.NextProbeAt], [Health.HeldUntil]), paused ([ClaimRequest.Pauses]) or withheld
	// ([Subscription.Withheld]), and no two within its [Health.Pace].
	//
	// A claim whose breaker is open ([ClaimRequest.IsProbe]) is a probe. It is of what Requeue has
	// asked for; or else of the newest delivery that was not tried; or else, when all were, of the
	// one with the fewest attempts, whenever it is due.
	//
	// Nothing is claimed before the NotBefore of its event, not even as a probe. From that time on
	// it takes turns with retries that are due; what waits for it costs nothing until then. From
	// the ExpiresAt of its event on a pending delivery is canceled with [ReasonExpired]: nothing of
	// it is claimed, every method that returns deliveries returns it so, and of its lease only a
	// success counts.
	//
	// A record that can't be read (ErrCorrupt) makes its own delivery dead and no other; a Claim
	// that meets many of them returns what it has, with a NextDue of zero. After an error, the
	// request's pauses may be in force or not. Bound: by req.Max, the number of pauses, and the
	// number of subscriptions that have got something due since the last Claim.
	Claim(ctx context.Context, req ClaimRequest) (ClaimResult, error)

	// Finish records the outcomes of claims, in one transaction and in order, and returns one
	// Result for each.
	//
	// An outcome counts if its token is the delivery's present one; a lease that has run out and
	// was not claimed again still counts. Then the attempt is recorded, the delivery takes the
	// state, and the subscription's health becomes [Health.Next]. Canceled records no attempt and
	// leaves the health as it is. With another token, a success still counts if the delivery is
	// pending or canceled: the endpoint has the event, so the delivery ends as Delivered. Every
	// other outcome is ignored, so calling again with the same outcomes is safe. Attempts are
	// numbered in the order in which they are recorded.
	//
	// A Finish that a crash loses repeats an attempt and no more, so a store may let it wait a few
	// milliseconds to share a commit. The lease of a success stops counting against the limits of
	// Claim when Finish is called; that of a failure when it is recorded, so that the next Claim
	// goes by the new health. Bound: one commit, by the number of outcomes.
	Finish(ctx context.Context, outcomes ...Outcome) ([]Result, error)

	// Release gives claims back without an attempt: nothing is counted or recorded, and each is due
	// at once in its place in the subscription's order. It ignores tokens that are not the present
	// ones. Bound: by the number of leases.
	Release(ctx context.Context, leases ...Lease) error

	// Ready returns a channel with one slot. It gets a value when there may be something new to
	// claim: after Enqueue, Requeue, Release, Close, and an update or a ProbeNow that lets claims
	// go on. It also gets one as soon as Finish has made room in the limits of Claim, which may be
	// before Finish returns. It has one reader, is the same channel at each call, and is never
	// closed. The reader must also claim when [ClaimResult.NextDue] has passed.
	Ready() <-chan struct{}
}

// History shows deliveries with their attempts, makes them pending again, and removes what is old
// or erased.
type History interface {
	// Deliveries lists deliveries in the reverse order of Enqueue: newest first. It begins with the
	// newest, or with q.Last at the other end. An invalid cursor is an *events.InvalidError.
	//
	// Bound: by q.Limit, and with q.Count by MaxTotal. Tenant, SubscriptionID, EventID and States
	// select from indexes, as far as the store has them. Of what it must read beside that, because
	// another filter passes over it, a call reads a bounded number of records, however much is
	// stored. The page may then be short or empty, with a cursor to go on from ([Page]).
	Deliveries(ctx context.Context, q DeliveryQuery) (Page[Delivery], error)

	// Event returns an event of a tenant by its ID. It is there from Enqueue on, for as long as one
	// of its deliveries is; of an erased one, Body and Trace are empty. Body belongs to the caller.
	//
	// It returns [ErrNotFound] if the tenant has no such event; so does an event that no
	// subscription wanted. Bound: one read, of the event and of one of its deliveries; if that one
	// is gone, of the next.
	Event(ctx context.Context, tenant, eventID string) (StoredEvent, error)

	// Attempts returns the recorded attempts of a delivery, the newest [MaxAttempts], oldest first;
	// the newest [MaxDetails] of all that there were have their Detail. The event is the one of the
	// subscription's tenant. It returns [ErrNotFound] if the delivery does not exist. Bound: one
	// read.
	Attempts(ctx context.Context, subscriptionID, eventID string) ([]Attempt, error)

	// Requeue makes deliveries that match pending and due at once. Their Claim.Retry starts at zero
	// and they keep their attempts. It takes one step of a listing, oldest first: at most q.Limit
	// that match, in one transaction; fewer or none, with a cursor, if it has read as much as
	// Deliveries may. A step goes on where the last one ended and reads nothing that an earlier one
	// has passed. An invalid cursor is an *events.InvalidError.
	//
	// It passes over deliveries of events that were erased or have expired, and of subscriptions
	// that are Unsubscribed. What is not to be sent yet (NotBefore) is due no earlier than that. If
	// q.States names Pending, it also makes due at once what waits for a retry and is not leased;
	// those count too, and keep their Retry. It leaves health as it is: what is due of a held
	// subscription waits for its probe, or for ProbeNow. Bound: as Deliveries, and one commit of at
	// most q.Limit changes.
	Requeue(ctx context.Context, q DeliveryQuery) (RequeueResult, error)

	// ProbeNow ends the holds of subscriptions: it makes NextProbeAt zero and leaves the rest of
	// their health, so that their next delivery is a probe. It is for a caller that knows that the
	// endpoints may work again. It ignores IDs that are unknown and subscriptions that are not
	// held; calling it again changes nothing. Bound: one commit, by the number of IDs; none if
	// there is nothing to change.
	ProbeNow(ctx context.Context, subscriptionIDs ...string) error

	// Recovered records that the endpoint of a subscription has taken a request outside of the
	// queue, such as a ping: its health becomes [Health.Recovered]. It ignores an ID that is
	// unknown, and changes nothing of a subscription that has neither Failures nor a hold. Bound:
	// one commit; none if there is nothing to change.
	Recovered(ctx context.Context, subscriptionID string) error

	// Erase removes what events carried: their bodies, body overrides and traces, and every
	// Response and Detail in the history of their deliveries. Pending deliveries become Canceled
	// with "erased" as their LastError, and their leases end. Deliveries and attempts stay in the
	// history otherwise. No later call of any method returns what was removed; each store documents
	// how soon its bytes leave the disk. The attempt of a late success that is recorded afterwards
	// has neither.
	//
	// It takes one step, of at most q.Limit events, in one transaction, and returns how many events
	// it changed and the cursor for the next step, "" after the last. A step may change none and
	// have a next one. It does not count events that were erased before. It returns [ErrNotFound]
	// if q.EventID names no stored event of q.Tenant; an invalid cursor is an *events.InvalidError.
	// Bound: by q.Limit and the deliveries of the events that it erases.
	Erase(ctx context.Context, q EraseQuery) (n int, next string, err error)

	// Prune takes one bounded step of maintenance: it removes finished deliveries past their
	// retention, events that no delivery refers to, and what UpdateSubscription, DeleteSubscription
	// and the time at which events expire left behind. It reports whether there is more to do.
	// Bound: a few milliseconds, however much there is to remove.
	Prune(ctx context.Context, r Retention) (more bool, err error)

	// CountPending returns how many deliveries of a tenant are pending, leased ones included, or
	// limit if there are more; a limit below 1 makes it 0. What Enqueue has stored before the call
	// is counted. What has expired may be counted until Prune has written it down, here and in
	// Stats. Bound: one read. In memstore and boltstore it takes the same time for any backlog
	// (after an open, boltstore first reads each subscription that has one once); in pgstore it is
	// by the subscriptions of the tenant and by limit, and, of those that another replica has, by
	// the events that the tenant has published in about ten seconds.
	CountPending(ctx context.Context, tenant string, limit int) (int, error)

	// Stats returns figures of one subscription, or of the whole store if the ID is empty. It
	// returns [ErrNotFound] if the subscription does not exist.
	//
	// Bound: it does not read the history. In boltstore the time grows with the subscriptions that
	// have something pending, by well under a microsecond each. It is some microseconds for one
	// whose oldest delivery has ended since the last call, if the next must be found among its
	// retries. pgstore counts what is pending, about 0.1 s for a million. memstore looks at every
	// delivery.
	Stats(ctx context.Context, subscriptionID string) (Stats, error)

	// Figures sums up the attempts that were recorded lately, minute by minute or hour by hour: of
	// a subscription, of those that a tenant has now, or of all that there are and were. It returns
	// [ErrNotFound] if q.SubscriptionID is not empty and no such subscription exists. A tenant that
	// is unknown has figures of zero. What was counted in the last ten seconds before a crash, or
	// before its subscription was deleted, may be missing.
	//
	// Bound: it does not read the history. Of a tenant it is by its subscriptions; of all it is
	// the same however many there are.
	Figures(ctx context.Context, q FiguresQuery) (Figures, error)
}
