package store

import (
	"context"

	"github.com/outhook/outhook/events"
)

// Tx is a transaction of the host, on the database in which a store keeps its events. The methods
// Tx of boltstore and Tx and SQLTx of pgstore make one, for PublishTx of package dispatcher, and
// Tx of shards wraps one. It stays the host's to commit or to roll back.
//
// As the transaction itself, it is for one goroutine at a time, and is of no use once the
// transaction has ended. No method waits for the transaction: none needs the write lock that it
// holds, or a second connection beside its own.
type Tx interface {
	// Enqueue is [Queue.Enqueue] in the transaction: the events are stored if and when it commits,
	// together with all else that it does, and not at all if it does not commit. Ready gets its
	// value after the commit. After an *events.InvalidError the transaction is as it was; after any
	// other error the host must roll it back, unless the store says otherwise.
	Enqueue(ctx context.Context, evs ...events.Event) error

	// CountPending is [History.CountPending], for a quota. What the transaction itself has enqueued
	// may be missing, and deliveries of events that are being erased may be counted.
	CountPending(ctx context.Context, tenant string, limit int) (int, error)

	// OnCommit has f called once the transaction has committed, in the goroutine that commits it,
	// and not if it is rolled back. It returns false if the store cannot see the commit: then f is
	// never called.
	OnCommit(f func()) bool
}
