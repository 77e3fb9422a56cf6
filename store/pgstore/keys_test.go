package pgstore_test

import (
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// keyedEvents returns events of one key.
func keyedEvents(n int) []events.Event {
	evs := someEvents(n)
	for i := range evs {
		evs[i].Key = "k"
	}
	return evs
}

// claimAll claims all there is.
func claimAll(t *testing.T, s *pgstore.Store) []store.Claim {
	t.Helper()
	claims, err := s.Claim(t.Context(), store.ClaimRequest{Max: 100, Lease: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return claims.Claims
}

// deliver records that the claims were delivered, all in one Finish.
func deliver(t *testing.T, s *pgstore.Store, claims ...store.Claim) {
	t.Helper()
	outcomes := make([]store.Outcome, len(claims))
	for i, c := range claims {
		outcomes[i] = store.Outcome{Lease: c.Lease, State: store.Delivered}
	}
	results, err := s.Finish(t.Context(), outcomes...)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Ignored {
			t.Errorf("outcome %d was ignored, want it to count", i)
		}
	}
}

// TestLateTransactionOfAKey checks that what waits behind a key is delivered when a host's
// transaction commits an earlier event of the key late: while a later one is leased, or after it.
func TestLateTransactionOfAKey(t *testing.T) {
	t.Parallel()
	for _, together := range []bool{true, false} {
		pool, schema := newPool(t)
		s := open(t, pool, schema)
		subscribeJudge(t, s, newJudge(t))
		evs := keyedEvents(4)
		tx, err := pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Tx(tx).Enqueue(t.Context(), evs[0]); err != nil {
			t.Fatal(err)
		}
		if err := s.Enqueue(t.Context(), evs[1:]...); err != nil {
			t.Fatal(err)
		}
		under := claimAll(t, s)
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		late := claimAll(t, s)
		if len(under) != 1 || under[0].EventID != evs[1].ID || len(late) != 1 ||
			late[0].EventID != evs[0].ID {
			t.Fatalf("claims before and after the commit: got %v and %v, want the second and the first",
				under, late)
		}
		if together {
			deliver(t, s, under[0], late[0])
		} else {
			deliver(t, s, under...)
			deliver(t, s, late...)
		}
		var got []string
		for claims := claimAll(t, s); len(claims) > 0; claims = claimAll(t, s) {
			deliver(t, s, claims...)
			got = append(got, claims[0].EventID)
		}
		if want := ids(evs[2:]); !slices.Equal(got, want) {
			t.Errorf("delivered after both (together: %v): got %v, want %v", together, got, want)
		}
	}
}
