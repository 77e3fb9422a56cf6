package storetest

import (
	"context"

	"github.com/outhook/outhook/events"
)

// HostTx is a host transaction own in which a store enqueues events, as the EnqueueTx of
// boltstore and of pgstore does: what Enqueue was given is stored if and when Commit returns nil.
// Commit or Rollback ends it.
type HostTx interface {
	Enqueue(ctx context.Context, evs ...events.Event) error
	Commit(ctx context.Context) error
	Rollback(ctx context.Context) error
}
