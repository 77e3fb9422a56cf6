package pgstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// hostTx is a transaction of a host's, of whichever kind.
type hostTx struct {
	enqueue          func(...events.Event) error
	commit, rollback func() error
}

// hostTxs are the kinds of transactions that a host may have.
func hostTxs(t *testing.T, s *pgstore.Store, conn *pgx.Conn, db *sql.DB) map[string]func() hostTx {
	ctx := t.Context()
	kinds := make(map[string]func() hostTx)
	for _, level := range []pgx.TxIsoLevel{pgx.ReadCommitted, pgx.RepeatableRead, pgx.Serializable} {
		kinds["pgx, "+string(level)] = func() hostTx {
			tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: level})
			if err != nil {
				t.Fatal(err)
			}
			return hostTx{
				func(evs ...events.Event) error { return s.Tx(tx).Enqueue(ctx, evs...) },
				func() error { return tx.Commit(ctx) },
				func() error { return tx.Rollback(ctx) },
			}
		}
	}
	kinds["database/sql"] = func() hostTx {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		return hostTx{func(evs ...events.Event) error {
			return s.SQLTx(tx).Enqueue(ctx, evs...)
		}, tx.Commit, tx.Rollback}
	}
	return kinds
}

func TestEnqueueTx(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	subscribeJudge(t, s, newJudge(t))
	db := stdlib.OpenDBFromPool(pool)
	t.Cleanup(func() { db.Close() })
	for name, begin := range hostTxs(t, s, connect(t, serverURL), db) {
		t.Run(name, func(t *testing.T) {
			testEnqueueTx(t, s, begin)
		})
	}
}

// claimIDs claims all there is, and returns which events.
func claimIDs(t *testing.T, s *pgstore.Store) (got []string) {
	t.Helper()
	claims, err := s.Claim(t.Context(), store.ClaimRequest{Max: 100, Lease: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims.Claims {
		got = append(got, c.EventID)
	}
	return got
}

func testEnqueueTx(t *testing.T, s *pgstore.Store, begin func() hostTx) {
	evs := someEvents(4)
	undone, done := begin(), hostTx{}
	if err := undone.enqueue(evs[0]); err != nil {
		t.Fatal(err)
	}
	if err := undone.rollback(); err != nil {
		t.Fatal(err)
	}
	if got := claimIDs(t, s); len(got) > 0 {
		t.Errorf("claims after a rollback: got %v, want none", got)
	}
	done = begin()
	evs[1].Trace = canaryTrace
	if err := done.enqueue(evs[1:3]...); err != nil {
		t.Fatal(err)
	}
	// Another publisher to the same subscription waits for nobody, and its event does not wait
	// either.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Enqueue(ctx, evs[3]); err != nil {
		t.Fatalf("Enqueue beside an open transaction: %v", err)
	}
	if got, want := claimIDs(t, s), ids(evs[3:]); !slices.Equal(got, want) {
		t.Errorf("claims beside an open transaction: got %v, want %v", got, want)
	}
	if err := done.commit(); err != nil {
		t.Fatal(err)
	}
	claims, err := s.Claim(t.Context(), store.ClaimRequest{Max: 100, Lease: time.Hour})
	if err != nil || len(claims.Claims) != 2 {
		t.Fatalf("claims after the commit: got %+v, %v, want 2", claims.Claims, err)
	}
	for i, c := range claims.Claims {
		if want := evs[1+i]; c.EventID != want.ID || c.Trace != want.Trace {
			t.Errorf("claim %d after the commit: got event %s with trace %q, want %s with %q", i+1,
				c.EventID, c.Trace, want.ID, want.Trace)
		}
	}
	testConflictInTx(t, begin(), evs[1])
}

// testConflictInTx checks that an ID with other content leaves the transaction of use.
func testConflictInTx(t *testing.T, tx hostTx, known events.Event) {
	other := known
	other.Payload = []byte(`"other"`)
	if err := tx.enqueue(other); !errors.Is(err, store.ErrConflict) {
		t.Errorf("other content under a known ID: got %v, want ErrConflict", err)
	}
	if err := tx.enqueue(known); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if err := tx.commit(); err != nil {
		t.Errorf("commit after the conflict: %v", err)
	}
}

// TestFreeIDInHostTx checks that a host's transaction may use the ID of an event whose last
// delivery has gone with its subscription, before Prune has got to it.
func TestFreeIDInHostTx(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	ev := someEvents(1)[0]
	for kind, begin := range hostTxs(t, s, connect(t, serverURL), db) {
		sub := subscribeJudge(t, s, newJudge(t))
		ev.Payload = fmt.Appendf(nil, "%q", kind)
		tx := begin()
		if err := tx.enqueue(ev); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if err := tx.commit(); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		body, err := ev.Body()
		if got := claimAll(t, s); err != nil || len(got) != 1 || !bytes.Equal(got[0].Body, body) {
			t.Errorf("%s: claims: got %+v, want one with the body %s (%v)", kind, got, body, err)
		}
		if err := s.DeleteSubscription(t.Context(), sub.ID); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEnqueueTxWakes(t *testing.T) {
	t.Parallel()
	p, schema := newPool(t)
	s := open(t, p, schema)
	subscribeJudge(t, s, newJudge(t))
	other, err := pgstore.New(p, &pgstore.Options{Schema: schema, PollInterval: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	claimAll(t, other) // so it has shares, and listens
	listens(t, schema)
	drained(other)
	tx, err := p.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Tx(tx).Enqueue(t.Context(), someEvents(1)...); err != nil {
		t.Fatal(err)
	}
	select {
	case <-other.Ready():
		t.Error("Ready before the commit: got a value, want none")
	default:
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	wakes(t, other, "after the commit")
}

// wakes checks that Ready gets a value soon.
func wakes(t *testing.T, s *pgstore.Store, when string) {
	t.Helper()
	timer := time.NewTimer(progress)
	defer timer.Stop()
	select {
	case <-s.Ready():
	case <-timer.C:
		t.Errorf("Ready %s: got no value", when)
	}
}

// TestEnqueueTxWithAPoolOfOne checks that EnqueueTx as the first call of a store takes no second
// connection, which a pool of one does not have.
func TestEnqueueTxWithAPoolOfOne(t *testing.T) {
	t.Parallel()
	direct, schema := newPool(t)
	open(t, direct, schema)
	pool, err := pgxpool.New(t.Context(), serverURL+"&pool_max_conns=1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	s, err := pgstore.New(pool, &pgstore.Options{Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		return s.Tx(tx).Enqueue(t.Context(), someEvents(1)...)
	})
	if err != nil {
		t.Errorf("EnqueueTx in the only connection: %v", err)
	}
}
