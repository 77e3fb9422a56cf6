package pgstore_test

import (
	"testing"
	"time"

	"github.com/outhook/outhook/store"
)

// TestQuickSuccessesLeaveHealthAlone holds that first attempts that succeed write nothing of health
// while it stays as it is, and that those that change it, because they are slow, do write it.
func TestQuickSuccessesLeaveHealthAlone(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	sub := subscribeJudge(t, s, newJudge(t))
	version := func() (xmin uint32) {
		if err := pool.QueryRow(t.Context(),
			"SELECT xmin FROM "+schema+".health").Scan(&xmin); err != nil {
			t.Fatal(err)
		}
		return xmin
	}
	succeed := func(took time.Duration) store.Health {
		evs := someEvents(20)
		if err := s.Enqueue(t.Context(), evs...); err != nil {
			t.Fatal(err)
		}
		var last store.Health
		for range evs {
			claims, err := s.Claim(t.Context(), store.ClaimRequest{Max: 1, Lease: lease})
			if err != nil || len(claims.Claims) != 1 {
				t.Fatalf("claims: got %d, %v, want 1", len(claims.Claims), err)
			}
			results, err := s.Finish(t.Context(), store.Outcome{
				Lease: claims.Claims[0].Lease, State: store.Delivered,
				Attempt: store.Attempt{At: time.Now(), Duration: took, Status: 200},
			})
			if err != nil || results[0].Ignored || *results[0].Before != *claims.Claims[0].Health {
				t.Fatalf("Finish: got %+v, %v, want it recorded after %+v", results, err,
					*claims.Claims[0].Health)
			}
			last = *results[0].After
		}
		return last
	}
	succeed(0) // a first success makes it healthy
	before := version()
	succeed(0)
	if got := version(); got != before {
		t.Error("quick successes have written health")
	}
	last := succeed(10 * time.Second)
	stats, err := s.Stats(t.Context(), sub.ID)
	if err != nil || stats.Health != last || last.Class() != store.ClassSlow {
		t.Errorf("health after slow successes: got %+v, %v, want %+v, and that slow", stats.Health, err,
			last)
	}
}

// TestProbeOfABlockedBacklog holds that what a key holds back of a broken endpoint is found at once
// and not one by one, with rows and without.
func TestProbeOfABlockedBacklog(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	for name, rows := range map[string]bool{"without rows": false, "with rows": true} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			subscribeJudge(t, s, newJudge(t))
			evs := someEvents(300)
			for i := range evs {
				evs[i].Key = "k"
			}
			if err := s.Enqueue(t.Context(), evs...); err != nil {
				t.Fatal(err)
			}
			req := store.ClaimRequest{Max: 10, Lease: lease, BreakerThreshold: 1}
			claims, err := s.Claim(t.Context(), req)
			if err != nil || len(claims.Claims) != 1 {
				t.Fatalf("claims: got %d, %v, want the first of the key", len(claims.Claims), err)
			}
			first := claims.Claims[0]
			if _, err := s.Finish(t.Context(), store.Outcome{
				Lease: first.Lease, State: store.Pending, Probe: store.ProbePolicy{Threshold: 1},
				Attempt: store.Attempt{Number: 1, At: time.Now(), Status: 500},
			}); err != nil {
				t.Fatal(err)
			}
			if rows {
				s.SetRowless(0, 0)
				if err := s.Spill(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			claims.Claims = nil
			calls := 0
			// the probe is due when the clocks agree
			for err == nil && len(claims.Claims) == 0 && t.Context().Err() == nil {
				claims, err = s.Claim(t.Context(), req)
				if claims.NextDue == 0 {
					calls++
				}
			}
			if err != nil || len(claims.Claims) != 1 || claims.Claims[0].EventID != first.EventID ||
				!claims.Claims[0].Probe {
				t.Fatalf("the probe: got %+v, %v, want the first of the key", claims.Claims, err)
			}
			if calls > 1 {
				t.Errorf("%d calls of Claim did not come to an end, want one at most", calls)
			}
			if n := s.Rowless(); n != 0 {
				t.Errorf("without a row: got %d, want what is blocked to have rows", n)
			}
		})
	}
}
