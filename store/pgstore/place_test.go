package pgstore_test

import (
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// claimOne claims one delivery, and asks again while what is due is due by the server's clock
// alone.
func claimOne(t *testing.T, s *pgstore.Store, req store.ClaimRequest) store.Claim {
	t.Helper()
	req.Max, req.Lease = 1, lease
	var claim store.Claim
	await(t, "a delivery is claimed", func() bool {
		claims, err := s.Claim(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if len(claims.Claims) == 1 {
			claim = claims.Claims[0]
		}
		return len(claims.Claims) == 1
	})
	return claim
}

func finish(t *testing.T, s *pgstore.Store, o store.Outcome) {
	t.Helper()
	results, err := s.Finish(t.Context(), o)
	if err != nil || results[0].Ignored {
		t.Fatalf("Finish: got %+v, %v, want it recorded", results, err)
	}
}

func storeWith(t *testing.T, n int) (*pgstore.Store, store.Subscription, []events.Event) {
	t.Helper()
	s := newStore(t)
	sub := subscribeJudge(t, s, newJudge(t))
	evs := someEvents(n)
	if err := s.Enqueue(t.Context(), evs...); err != nil {
		t.Fatal(err)
	}
	return s, sub, evs
}

// TestReplaysGoInTheOrderOfEvents checks that what is replayed comes in the order in which it was
// published, and not in that in which somebody has asked for it.
func TestReplaysGoInTheOrderOfEvents(t *testing.T) {
	t.Parallel()
	s, sub, evs := storeWith(t, 4)
	for range evs {
		finish(t, s, store.Outcome{
			Lease: claimOne(t, s, store.ClaimRequest{}).Lease, State: store.Delivered,
			Attempt: store.Attempt{At: time.Now(), Status: 200},
		})
	}
	for _, ev := range slices.Backward(evs) {
		result, err := s.Requeue(t.Context(), store.DeliveryQuery{SubscriptionID: sub.ID, EventID: ev.ID})
		if err != nil || result.Requeued != 1 {
			t.Fatalf("Requeue: got %+v, %v, want one", result, err)
		}
	}
	var got []string
	for range evs {
		got = append(got, claimOne(t, s, store.ClaimRequest{}).EventID)
	}
	if want := ids(evs); !slices.Equal(got, want) {
		t.Errorf("replays: got %v, want %v", got, want)
	}
}

// TestProbeTakesTheNewestRow checks that a probe takes the newest first attempt, also if there are
// more of them with rows than memory has a window for.
func TestProbeTakesTheNewestRow(t *testing.T) {
	t.Parallel()
	s, _, evs := storeWith(t, 300)
	req := store.ClaimRequest{BreakerThreshold: 1}
	first := claimOne(t, s, req)
	finish(t, s, store.Outcome{
		Lease: first.Lease, State: store.Pending, Probe: store.ProbePolicy{Threshold: 1},
		Attempt: store.Attempt{Number: 1, At: time.Now(), Status: 500},
	})
	s.SetRowless(0, 0)
	if err := s.Spill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := s.Rowless(); n != 0 {
		t.Fatalf("%d are without a row, want none", n)
	}
	probe := claimOne(t, s, req)
	if want := evs[len(evs)-1].ID; !probe.Probe || probe.EventID != want {
		t.Errorf("claimed: got %s, a probe %t, want the newest, %s", probe.EventID, probe.Probe, want)
	}
}
