package pgstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// TestOutcomesShareTransactions checks that a success that nothing waits for waits for company, and
// that one with a key, and a failure, do not, and take it along.
func TestOutcomesShareTransactions(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		key   string
		state store.State
	}{
		"with a key": {"key", store.Delivered},
		"failed":     {"", store.Pending},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			s.KeepOutcomesApart(time.Hour)
			subscribeJudge(t, s, newJudge(t))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			finish := func(key string, state store.State) {
				if _, err := s.Finish(ctx, claimedOutcome(t, s, key, state)); err != nil {
					t.Errorf("Finish of %q, %v: %v", key, state, err)
				}
			}
			finish("", store.Delivered) // after it, others wait
			recorded := make(chan struct{})
			go func() { defer close(recorded); finish("", store.Delivered) }()
			await(t, "a success waits", func() bool {
				select {
				case <-recorded:
					t.Fatal("a success that nothing waits for did not wait for company")
				default:
				}
				return s.OutcomesWaiting() == 1
			})
			finish(tc.key, tc.state)
			<-recorded
		})
	}
}

// claimedOutcome publishes an event, claims it, and returns an outcome.
func claimedOutcome(t *testing.T, s store.Store, key string, state store.State) store.Outcome {
	t.Helper()
	evs := someEvents(1)
	evs[0].Key = key
	if err := s.Enqueue(t.Context(), evs...); err != nil {
		t.Error(err)
	}
	result, err := s.Claim(t.Context(), store.ClaimRequest{Max: 1, Lease: time.Hour})
	if err != nil || len(result.Claims) != 1 {
		t.Errorf("claims: got %d, %v, want 1", len(result.Claims), err)
		return store.Outcome{}
	}
	o := store.Outcome{Lease: result.Claims[0].Lease, State: state}
	o.Attempt = store.Attempt{At: time.Now(), Status: 200}
	if state != store.Delivered {
		o.RetryIn, o.Attempt.Status = time.Hour, 500
	}
	return o
}

// TestLatencyKeepsOutcomesSimple records successes of one subscription, one of which changes its
// latency. Each says which health it has found and left, as if they had been recorded in order; and
// the others are recorded by the short way, in a transaction of their own.
func TestLatencyKeepsOutcomesSimple(t *testing.T) {
	t.Parallel()
	const n, slow = 20, 7
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	finishSome(t, s, 1) // the first success makes it healthy
	if err := s.Enqueue(t.Context(), someEvents(n)...); err != nil {
		t.Fatal(err)
	}
	result, err := s.Claim(t.Context(), store.ClaimRequest{Max: n, Lease: lease})
	if err != nil || len(result.Claims) != n {
		t.Fatalf("claims: got %d, %v, want %d", len(result.Claims), err, n)
	}
	health := *result.Claims[0].Health
	outcomes, want := make([]store.Outcome, n), make([]store.Result, n)
	for i, c := range result.Claims {
		o := store.Outcome{Lease: c.Lease, State: store.Delivered}
		o.Attempt = store.Attempt{At: time.Now(), Duration: health.Latency, Status: 200}
		if i == slow {
			o.Attempt.Duration = 100 * time.Second
		}
		before, after := health, health.Next(&o, time.Now())
		if changes := before != after; changes != (i == slow) {
			t.Fatalf("outcome %d changes the health: %t", i, changes)
		}
		outcomes[i], want[i], health = o, store.Result{Before: &before, After: &after}, after
	}
	results, err := s.Finish(t.Context(), outcomes...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range results {
		got := results[i]
		if got.Ignored || *got.Before != *want[i].Before || *got.After != *want[i].After {
			t.Errorf("result %d: got %+v, %+v; want %+v, %+v", i, *got.Before, *got.After,
				*want[i].Before, *want[i].After)
		}
	}
	var together int
	if err := pool.QueryRow(t.Context(), "SELECT count(*) FROM "+
		pgx.Identifier{schema, "deliveries"}.Sanitize()+
		" GROUP BY xmin ORDER BY 1 DESC LIMIT 1").Scan(&together); err != nil {
		t.Fatal(err)
	}
	if together != n-1 {
		t.Errorf("recorded together: got %d, want all but one of %d", together, n)
	}
}
