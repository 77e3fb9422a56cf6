package store

import "errors"

// The errors of a Store, wrapped with the operation that failed. Test for them with errors.Is. Bad
// input is an *events.InvalidError instead, and changes nothing. After any other error the effect
// of the call is unknown, and calling again is safe.
var (
	// ErrNotFound says that the subscription, event or delivery does not exist. Subscription,
	// UpdateSubscription, DeleteSubscription and Attempts return it, and so do Erase of one event
	// and Stats of one subscription.
	ErrNotFound = errors.New("store: not found")

	// ErrConflict says that the ID is taken. Enqueue returns it for an event ID that the same
	// tenant has stored with other content, CreateSubscription for an ID that exists.
	ErrConflict = errors.New("store: conflict")

	// ErrClosed says that the store was closed. Every method returns it after Close.
	ErrClosed = errors.New("store: closed")

	// ErrCorrupt says that stored data is damaged: the file is no store or is torn (Open), or the
	// checksum of a record does not match (any method that reads it).
	ErrCorrupt = errors.New("store: corrupt")

	// ErrSealed says that the secrets and headers of a subscription are sealed and do not open:
	// their key is missing, or somebody has changed the subscription in the store (see package
	// sealed). UpdateSubscription and Reseal of a sealed.Store return it; no other store does.
	ErrSealed = errors.New("store: sealed")

	// ErrMoved says that a tenant is not this store's at present: it is being moved, or was. The
	// methods of a [TenantMover] return it for whatever would change something of such a tenant.
	// Trying again is safe, and succeeds when the move has ended, if the caller goes to the store
	// that has the tenant then, as package shards does.
	ErrMoved = errors.New("store: the tenant is being moved to another store, or was; try again")

	// ErrLocked says that the store is in use: another process has its file open (boltstore.Open),
	// or another Store of the same name the database (boltstore.New).
	ErrLocked = errors.New("store: locked")
)
