package store

import (
	"context"
	"time"

	"github.com/outhook/outhook/events"
)

// TenantMover is what a [Store] can besides if tenants can be moved out of it and into it while
// their host runs: memstore, boltstore and pgstore. Package shards calls it, and nobody else
// should: each method is safe only in the order in which Move of that package calls them.
//
// If several processes use the store, Stats says of a subscription of a closed tenant whether
// anything is InFlight in any of them.
//
// A tenant that is not TenantSettled is closed: nothing of it is claimed, and whatever would change
// something of it returns [ErrMoved]; a call that is about several tenants, such as Requeue of any,
// passes over it. Finish and Release go on, for what was claimed before, and so do methods that
// read, and Prune. That a tenant is closed is checked in the transaction of the call: once
// SetTenantState has returned and the leases have ended, nothing of the tenant changes any more,
// but for the outcome of an attempt that has outlasted its lease.
type TenantMover interface {
	// TenantStates returns the tenants that are not TenantSettled. Bound: one read, by their
	// number.
	TenantStates(ctx context.Context) (map[string]TenantState, error)

	// SetTenantState sets the state of a tenant. It is on disk when it returns nil. When the tenant
	// becomes settled, what is due of it can be claimed. Calling again changes nothing. Bound: one
	// commit.
	SetTenantState(ctx context.Context, tenant string, state TenantState) error

	// ExportTenant returns a part of what the store has of a tenant: with an empty cursor all of
	// its subscriptions and no events, then at most limit events, in the order in which they were
	// enqueued. An event of which no delivery is left is not in it. Bound: by limit, the size of
	// what it returns and what must be read to find it.
	ExportTenant(ctx context.Context, tenant, cursor string, limit int) (TenantPart, error)

	// ImportTenant stores a part of a tenant that ExportTenant of another store returned, after the
	// parts before it. Times, counts and states stay as they are; events come after all that the
	// store has. What of the part is stored already stays as it is, so calling again is safe. It
	// returns [ErrConflict] if a subscription's ID is another tenant's. Bound: one commit, by the
	// size of the part.
	ImportTenant(ctx context.Context, tenant string, part TenantPart) error

	// RemoveTenant takes one step of removing all that the store has of a tenant but its state, and
	// reports whether there is more to do. A store may remove the records later, in Prune; what
	// RemoveTenant has removed is shown no more. Bound: one commit, of a bounded number of changes.
	RemoveTenant(ctx context.Context, tenant string) (more bool, err error)
}

// TenantState says whether a tenant is in a store.
type TenantState struct {
	Phase TenantPhase
	Peer  int // the other store of the move, by its index; 0 if TenantSettled
}

// TenantPhase is a step of a tenant's move.
type TenantPhase uint8

const (
	TenantSettled  TenantPhase = iota // it is here if it is anywhere; or it was never moved
	TenantArriving                    // it is being copied from Peer, and not all is here
	TenantLeaving                     // it is being copied to Peer, or is there already
	TenantGone                        // it was moved to Peer
)

// TenantPart is a part of what a store has of a tenant.
type TenantPart struct {
	Subscriptions []TenantSubscription
	Events        []TenantEvent
	Next          string // the cursor for the next part; empty after the last
}

// TenantSubscription is a subscription as it is stored, with its times, and its health.
type TenantSubscription struct {
	Subscription
	Health Health
}

// TenantEvent is an event as it is stored, with its deliveries.
type TenantEvent struct {
	Event      events.Event // its Payload is not set: see Body
	Body       []byte       // the wire body; empty if the event was erased
	EnqueuedAt time.Time
	Deliveries []TenantDelivery
}

// TenantDelivery is what a store has of a delivery.
type TenantDelivery struct {
	SubscriptionID string
	State          State
	Attempts       int       // how many there were
	Retry          int       // Claim.Retry of the next claim
	Log            []Attempt // the attempts that are kept, oldest first

	DueAt time.Time // if it is pending and waits for a retry; zero before the first attempt
	// If it is pending: whether it is due at once because Requeue asked for it, or because it
	// waited for the breaker alone (Outcome.Parks).
	Asked, Parked bool

	FinishedAt time.Time // if it is not pending
	Reason     string    // why it was canceled, or died without an attempt

	BodyState    BodyState
	BodyOverride []byte
}
