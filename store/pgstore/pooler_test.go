package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
	"github.com/outhook/outhook/store/pgstore/pgtest"
	"github.com/outhook/outhook/store/storetest"
)

// poolerConnections is how many connections the pooler has to the server: fewer than the stores
// have to it, so that those get another one with each transaction.
const poolerConnections = 3

// manyConnections are enough that nobody waits for one for long.
const manyConnections = 20

// newPooler returns the URL of a server of the test's own behind PgBouncer in transaction mode,
// with so many connections.
func newPooler(t *testing.T, connections int) (url string) {
	t.Helper()
	srv := newServer(t, nil)
	p, err := srv.StartPooler(t.Context(), connections)
	if errors.Is(err, pgtest.ErrNoPooler) {
		skip(t, "this test goes through PgBouncer, which is not installed")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p.URL() + "&default_query_exec_mode=exec"
}

// TestThroughPooler checks that hosts publish, in their own transactions too, deliver and prune
// through a pooler in transaction mode, on which they hold no session: they poll, prepare no
// statement, and lock for the time of a transaction.
func TestThroughPooler(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	url := newPooler(t, poolerConnections)
	j := newJudge(t)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	var stores []*pgstore.Store
	for range 3 {
		s, err := pgstore.Open(t.Context(), url,
			&pgstore.Options{PollOnly: true, PollInterval: 50 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		stores = append(stores, s)
	}
	defer func() {
		cancel()
		running.Wait()
		for _, s := range stores {
			s.Close()
		}
	}()
	subscribeJudge(t, stores[0], j)
	for _, s := range stores {
		d, err := dispatcher.New(s, patient(replicaOptions()))
		if err != nil {
			t.Fatal(err)
		}
		running.Go(func() {
			if err := d.Run(ctx); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	for i := range 60 {
		evs := someEvents(5)
		s := stores[i%len(stores)]
		if err := s.Enqueue(t.Context(), evs[:3]...); err != nil {
			t.Fatal(err)
		}
		if err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			return s.Tx(tx).Enqueue(t.Context(), evs[3:]...)
		}); err != nil {
			t.Fatal(err)
		}
		j.ack(ids(evs)...)
	}
	n := j.await(t, "everything arrives", progress, delivered)
	if n.repeated > 0 {
		t.Errorf("repeated: %d of %d deliveries, want none", n.repeated, n.acked)
	}
	checkPruned(t, stores, pool)
}

// checkPruned prunes in all stores at once, until nothing is left.
func checkPruned(t *testing.T, stores []*pgstore.Store, pool *pgxpool.Pool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	left := 0
	for range 1000 { // a lock that a session kept would never be had by the others
		var pruning sync.WaitGroup
		for _, s := range stores {
			pruning.Go(func() {
				if _, err := s.Prune(t.Context(), store.Retention{Delivered: time.Nanosecond}); err != nil {
					t.Error(err)
				}
			})
		}
		pruning.Wait()
		if left = count(t, pool, "outhook", "deliveries"); left == 0 {
			return
		}
		<-ticker.C
	}
	t.Errorf("deliveries after pruning: got %d rows, want none", left)
}

// TestStoreThroughPooler runs the rules of the contract through a pooler.
func TestStoreThroughPooler(t *testing.T) {
	if !long {
		t.Skip("a long test, which OUTHOOK_LONG=1 runs: the rules once more, through a pooler")
	}
	url := newPooler(t, manyConnections)
	storetest.Suite{RealTime: true, Parallel: true, Open: func(t *testing.T) store.Store {
		pool, err := pgxpool.New(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		s, err := pgstore.New(pool, &pgstore.Options{
			Schema: fmt.Sprint("outhook_test_", schemas.Add(1)), PollOnly: true,
			PollInterval: 50 * time.Millisecond,
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		return s
	}}.Rules(t)
}
