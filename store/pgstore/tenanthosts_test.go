package pgstore_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// TestClosingWaitsForHosts closes a tenant while a host has published for it in a transaction that
// is open. SetTenantState returns once that has ended, and nobody waits behind it.
func TestClosingWaitsForHosts(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	twoTenants(t, s)
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	evs := ofTenant("moves", 1)
	if err := s.Tx(tx).Enqueue(t.Context(), evs...); err != nil {
		t.Fatal(err)
	}
	var committing atomic.Bool
	closed := make(chan error, 1)
	go func() {
		err := s.SetTenantState(t.Context(), "moves", leavingTenant)
		if err == nil && !committing.Load() {
			err = errors.New("it has returned before the host's transaction has ended")
		}
		closed <- err
	}()
	for {
		states, err := s.TenantStates(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(states) > 0 {
			break
		}
	}
	for range 50 { // far more round trips than closing takes
		if err := s.Enqueue(t.Context(), ofTenant("stays", 1)...); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Enqueue(t.Context(), ofTenant("moves", 1)...); !errors.Is(err, store.ErrMoved) {
		t.Errorf("Enqueue while it is being closed: got error %v, want store.ErrMoved", err)
	}
	committing.Store(true)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	part, err := s.ExportTenant(t.Context(), "moves", "0", 10)
	if err != nil || len(part.Events) != 1 || part.Events[0].Event.ID != evs[0].ID {
		t.Errorf("ExportTenant: got %+v, %v, want the event of the host's transaction", part.Events, err)
	}
}

// TestHostsOfAClosedTenant publishes for a closed tenant in transactions of the host's, of which
// some began before the tenant was closed and see what was then. Each must be refused, and stay as
// it was. All is done by a role that has no more than SECURITY.md asks for.
func TestHostsOfAClosedTenant(t *testing.T) {
	t.Parallel()
	owner, schema := newPool(t)
	pool := newGranted(t, owner, schema)
	s := connectStore(t, pool, schema)
	twoTenants(t, s)
	levels := []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable}
	txs := make(map[string]pgx.Tx)
	begin := func(when string) {
		for _, level := range levels {
			conn := connect(t, serverURL)
			if _, err := conn.Exec(t.Context(), "SET ROLE "+grantedRole(schema)); err != nil {
				t.Fatal(err)
			}
			tx, err := conn.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: level})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), "SELECT count(*) FROM pg_class"); err != nil {
				t.Fatal(err)
			}
			txs[string(level)+", begun "+when] = tx
		}
	}
	begin("before")
	setState(t, s, leavingTenant)
	begin("after")
	for what, tx := range txs {
		err := s.Tx(tx).Enqueue(t.Context(), ofTenant("moves", 1)...)
		if !errors.Is(err, store.ErrMoved) {
			t.Errorf("%s: got error %v, want store.ErrMoved", what, err)
		}
		if _, err := tx.Exec(t.Context(), "SELECT 1"); err != nil {
			t.Errorf("%s: the transaction is not as it was: %v", what, err)
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	setState(t, s, store.TenantState{})
	tx, err := pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.Serializable})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Tx(tx).Enqueue(t.Context(), ofTenant("moves", 1)...); err != nil {
		t.Errorf("settled again: %v", err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestPublishingBesideAClosedTenant publishes for a closed tenant and for another, by many at once,
// whose calls share transactions. Each must get the answer that it would have got alone.
func TestPublishingBesideAClosedTenant(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	twoTenants(t, s)
	setState(t, s, leavingTenant)
	var publishing sync.WaitGroup
	for i := range 32 {
		publishing.Go(func() {
			for range 10 {
				if i%4 == 0 {
					if err := s.Enqueue(t.Context(), ofTenant("moves", 1)...); !errors.Is(err, store.ErrMoved) {
						t.Errorf("for the closed tenant: got error %v, want store.ErrMoved", err)
					}
				} else if err := s.Enqueue(t.Context(), ofTenant("stays", 1)...); err != nil {
					t.Errorf("for the other: %v", err)
				}
			}
		})
	}
	publishing.Wait()
	for tenant, want := range map[string]int{"moves": 0, "stays": 24 * 10} {
		if n, err := s.CountPending(t.Context(), tenant, 1000); err != nil || n != want {
			t.Errorf("pending of the one that %s: got %d, %v, want %d", tenant, n, err, want)
		}
	}
}
