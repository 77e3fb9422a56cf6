package pgstore_test

import (
	"slices"
	"testing"
	"time"
)

// TestClockSetBack checks that a subscription gets new events when the server's clock was set back
// by a year after it was made, and still none that happened before the server says that it is.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	subscribeJudge(t, s, newJudge(t))
	later := "UPDATE " + schema + `.subscriptions SET created_at = created_at + interval '1 year',
		updated_at = updated_at + interval '1 year',
		subscribed_at = subscribed_at + interval '1 year'`
	if _, err := pool.Exec(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	evs := someEvents(2)
	evs[0].Time = evs[0].Time.Add(-time.Hour)
	if err := s.Enqueue(t.Context(), evs...); err != nil {
		t.Fatal(err)
	}
	if got, want := claimIDs(t, s), ids(evs[1:]); !slices.Equal(got, want) {
		t.Errorf("claims: got %v, want %v", got, want)
	}
}
