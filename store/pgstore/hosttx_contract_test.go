package pgstore_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
	"github.com/outhook/outhook/store/storetest"
)

// contractTx is a transaction of a host's as the suite wants it.
type contractTx struct {
	store.Tx
	tx pgx.Tx
}

func (h contractTx) Commit(ctx context.Context) error   { return h.tx.Commit(ctx) }
func (h contractTx) Rollback(ctx context.Context) error { return h.tx.Rollback(ctx) }

// beginContract begins a transaction of a host's.
func beginContract(t *testing.T, pool *pgxpool.Pool, s *pgstore.Store) storetest.HostTx {
	tx, err := pool.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	// or else closing the pool would wait for it
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	return contractTx{s.Tx(tx), tx}
}
