package pgstore_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// subscribeMany makes so many subscriptions, of no tenant, that want everything.
func subscribeMany(t *testing.T, pool *pgxpool.Pool, schema string, n int) {
	t.Helper()
	fill := strings.ReplaceAll(fmt.Sprintf(`
		INSERT INTO outhook.subscriptions (id, tenant, name, url, events, header_names, header_values, secrets, status,
			disabled_reason, created_at, updated_at, subscribed_at)
		SELECT 'wide-' || n, '', '', 'https://endpoint.example/', '{}', '{}', '{}', '{}', 'Subscribed', '', now(), now(), now()
		FROM generate_series(1, %d) n;
		INSERT INTO outhook.subscription_patterns SELECT tenant, '', num FROM outhook.subscriptions WHERE id LIKE 'wide-%%';
		INSERT INTO outhook.health (sub) SELECT num FROM outhook.subscriptions WHERE id LIKE 'wide-%%'`, n),
		"outhook.", pgx.Identifier{schema}.Sanitize()+".")
	if _, err := pool.Exec(t.Context(), fill); err != nil {
		t.Fatal(err)
	}
}

// pending returns how many deliveries are.
func pending(t testing.TB, s *pgstore.Store) int {
	t.Helper()
	stats, err := s.Stats(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	return stats.Pending
}

// sizes of the tests about wide fan-outs.
func wideSizes() (publishers, subscriptions int) {
	if long {
		return 500, 2000
	}
	return 60, 1000
}

// TestWideEnqueue checks that one call with many events for many subscriptions is stored whole, in
// order, and whatever the server knows of its tables.
func TestWideEnqueue(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	for _, analyzed := range []bool{false, true} {
		t.Run(fmt.Sprint("statistics ", analyzed), func(t *testing.T) {
			pool, schema := newPool(t)
			s := open(t, pool, schema)
			n, subs := wideSizes()
			subscribeMany(t, pool, schema, subs)
			if analyzed {
				if _, err := pool.Exec(t.Context(), "ANALYZE"); err != nil {
					t.Fatal(err)
				}
			}
			evs := someEvents(n)
			if err := s.Enqueue(t.Context(), evs...); err != nil {
				t.Fatal(err)
			}
			if got, want := pending(t, s), n*subs; got != want {
				t.Errorf("pending: got %d, want %d", got, want)
			}
			// All or nothing: the last is another under a known ID, far from the first slice.
			more := someEvents(n)
			more[n-1].ID = evs[0].ID
			if err := s.Enqueue(t.Context(), more...); err == nil {
				t.Error("a wide call with other content under a known ID: got no error, want ErrConflict")
			}
			if got, want := count(t, pool, schema, "events"), n; got != want {
				t.Errorf("events after the conflict: got %d, want %d", got, want)
			}
			inOrder(t, s, evs)
		})
	}
}

// inOrder checks that one subscription gets the events in their order.
func inOrder(t *testing.T, s *pgstore.Store, evs []events.Event) {
	t.Helper()
	page, err := s.Deliveries(t.Context(),
		store.DeliveryQuery{SubscriptionID: "wide-7", Limit: len(evs)})
	if err != nil || len(page.Items) != len(evs) {
		t.Fatalf("deliveries: got %d, %v, want %d", len(page.Items), err, len(evs))
	}
	for i, d := range page.Items {
		if want := evs[len(evs)-1-i].ID; d.EventID != want {
			t.Fatalf("delivery %d, newest first: got event %s, want %s", i, d.EventID, want)
		}
	}
}

// TestWidePublishersTogether checks that many who publish one event each, for many subscriptions,
// at the same time, are all accepted: joined, they are more than one statement can take.
func TestWidePublishersTogether(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	n, subs := wideSizes()
	subscribeMany(t, pool, schema, subs)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	var publishing sync.WaitGroup
	for _, ev := range someEvents(n) {
		publishing.Go(func() {
			if err := s.Enqueue(ctx, ev); err != nil {
				t.Error(err)
			}
		})
	}
	publishing.Wait()
	if got, want := pending(t, s), n*subs; got != want {
		t.Errorf("pending: got %d, want %d", got, want)
	}
}

// TestWideEnqueueTx checks that a wide call in a host's transaction is as whole as that.
func TestWideEnqueueTx(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	subscribeMany(t, pool, schema, 900)
	const n = 50
	for _, commit := range []bool{false, true} {
		tx, err := pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Tx(tx).Enqueue(t.Context(), someEvents(n)...); err != nil {
			t.Fatal(err)
		}
		want := 0
		if end := tx.Rollback; !commit {
			err = end(t.Context())
		} else {
			want, err = n*900, tx.Commit(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := pending(t, s); got != want {
			t.Errorf("pending (committed: %v): got %d, want %d", commit, got, want)
		}
	}
}

// TestEnqueueBesideAnOpenTransaction checks that publishers do not wait for a host's open
// transaction that has stored an ID which one of them has too.
func TestEnqueueBesideAnOpenTransaction(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	subscribeJudge(t, s, newJudge(t))
	same := someEvents(1)
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	if err := s.Tx(tx).Enqueue(t.Context(), same...); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	blocked := make(chan error, 1)
	go func() { blocked <- s.Enqueue(ctx, same...) }()
	await(t, "the one with the same ID waits alone", func() bool {
		select {
		case err := <-blocked:
			t.Fatalf("it has not waited: %v", err)
		default:
		}
		return s.Alone() == 1
	})
	var publishing sync.WaitGroup
	for range 20 {
		publishing.Go(func() {
			for range 5 {
				if err := s.Enqueue(ctx, someEvents(1)...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	publishing.Wait()
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-blocked // it was stored, or told to try again
	if err := s.Enqueue(t.Context(), same...); err != nil {
		t.Errorf("the ID again, after the commit: %v", err)
	}
	if got, want := pending(t, s), 101; got != want {
		t.Errorf("pending: got %d, want %d", got, want)
	}
}
