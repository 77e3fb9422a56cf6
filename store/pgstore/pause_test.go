package pgstore_test

import (
	"testing"
	"time"
)

// TestPauseIsOfOneReplica checks that while one replica pauses a subscription, another claims of it.
func TestPauseIsOfOneReplica(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	first, second := open(t, pool, schema), open(t, pool, schema)
	sub := subscribeJudge(t, first, newJudge(t))
	if err := first.Pause(t.Context(), sub.ID, time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := first.Enqueue(t.Context(), someEvents(3)...); err != nil {
		t.Fatal(err)
	}
	if got := claimIDs(t, first); len(got) > 0 {
		t.Errorf("claims of the replica that pauses: got %v, want none", got)
	}
	if got := claimIDs(t, second); len(got) != 3 {
		t.Errorf("claims of another replica: got %v, want 3", got)
	}
}
