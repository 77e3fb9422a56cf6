package storetest

import (
	"context"

	"github.com/outhook/outhook/store"
)

// HostTx is a host transaction in which a store enqueues events, as the method Tx of boltstore and
// of pgstore returns one: what Enqueue was given is stored if and when Commit returns nil. Commit
// or Rollback ends it.
type HostTx interface {
	store.Tx
	Commit(ctx context.Context) error
	Rollback(ctx context.Context) error
}
