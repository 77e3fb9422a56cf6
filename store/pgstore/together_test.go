package pgstore_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// TestOutcomesShareTransactions checks that a second outcome waits for company if nothing waits for
// it, and that one with a key, or of a failure, does not.
func TestOutcomesShareTransactions(t *testing.T) {
	t.Parallel()
	const pairs, patience = 10, 30 * time.Second
	for name, tc := range map[string]struct {
		key     string
		state   store.State
		awaited bool
	}{
		"a success":      {"", store.Delivered, false},
		"one with a key": {"key", store.Delivered, true},
		"a failure":      {"", store.Pending, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			subscribeJudge(t, s, newJudge(t))
			least := time.Duration(1<<63 - 1)
			// A busy machine may let each pair take longer.
			for n, began := 0, time.Now(); n < pairs || tc.awaited && least >= pgstore.OutcomesApart &&
				time.Since(began) < patience; n++ {
				least = min(least, finishTwo(t, s, tc.key, tc.state))
			}
			if quick := least < pgstore.OutcomesApart; quick != tc.awaited {
				t.Errorf("two outcomes after each other took %v, transactions of those that nothing waits "+
					"for begin %v apart; want shorter: %t", least, pgstore.OutcomesApart, tc.awaited)
			}
		})
	}
}

// finishTwo records the outcomes of two deliveries, one after the other, and returns how long that
// took.
func finishTwo(t *testing.T, s store.Store, key string, state store.State) time.Duration {
	t.Helper()
	evs := someEvents(2)
	if key != "" {
		evs[0].Key, evs[1].Key = key+"1", key+"2"
	}
	if err := s.Enqueue(t.Context(), evs...); err != nil {
		t.Fatal(err)
	}
	var claims []store.Claim
	for len(claims) < 2 {
		result, err := s.Claim(t.Context(), store.ClaimRequest{Max: 2, Lease: lease})
		if err != nil {
			t.Fatal(err)
		}
		claims = append(claims, result.Claims...)
	}
	began := time.Now()
	for _, c := range claims {
		o := store.Outcome{Lease: c.Lease, State: state, RetryIn: time.Hour}
		o.Attempt = store.Attempt{At: began, Duration: time.Millisecond, Status: 200}
		if state != store.Delivered {
			o.Attempt.Status = 500
		}
		if _, err := s.Finish(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(began)
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
