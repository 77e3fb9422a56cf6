package store

import "errors"

// The errors a Store returns, wrapped with what was being done. Test for them with errors.Is. Bad input is an
// *events.InvalidError instead, which changes nothing; any other error is trouble of the store's own, after which nothing
// is known of the call's effect and calling again is safe.
var (
	// ErrNotFound says that there is no such subscription, event or delivery. Subscription, UpdateSubscription,
	// DeleteSubscription and Attempts return it, Erase of one event, and Stats when it is asked for one subscription.
	ErrNotFound = errors.New("store: not found")

	// ErrConflict says that the identifier is taken. Enqueue returns it for an event ID stored with other content,
	// CreateSubscription for an ID that exists.
	ErrConflict = errors.New("store: conflict")

	// ErrClosed is what every method returns after Close.
	ErrClosed = errors.New("store: closed")

	// ErrCorrupt says that what the store holds is damaged: a file that is no store or a torn one (Open), or a record
	// whose checksum does not match (any method that reads it).
	ErrCorrupt = errors.New("store: corrupt")

	// ErrLocked says that the store is in use: another process has its file open (boltstore.Open), or
	// another Store of the same name the database (boltstore.New).
	ErrLocked = errors.New("store: locked")
)
