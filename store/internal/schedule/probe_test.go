package schedule_test

import (
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule"
)

// TestProbeChoice has everything pending that a probe may take, and ends one after the other.
func TestProbeChoice(t *testing.T) {
	s := newMemory()
	s.sub(1, store.Health{Failures: 5})
	for range 5 {
		s.add(1)
	}
	for seq, due := range map[uint64]int64{1: s.now + 500, 2: order.Asked, 3: order.Parked(2)} {
		s.Change(s.Sub(1), seq, schedule.Change{
			Pending: true, Position: order.Position{Due: due, Seq: seq},
		}, s.now)
	}
	req := store.ClaimRequest{Max: 9, PerSubscription: 4, BreakerThreshold: 5}
	// What was asked for, the newest that were not tried, and what was tried, due or not.
	for _, want := range []string{"1/2", "1/5", "1/4", "1/3", "1/1"} {
		l := s.want(t, req, want)
		if len(l) != 1 {
			t.FailNow()
		}
		s.TakeWake()
		s.Change(l[0].Sub, l[0].Seq, schedule.Change{}, s.now)
		if !s.TakeWake() && want != "1/1" {
			t.Errorf("there is no wake-up as the probe of %s ends", want)
		}
	}
}

// TestBreakerCloses has the breaker close over what it held back: that is due, in the order of
// attempts and events, and what waits for a time waits on.
func TestBreakerCloses(t *testing.T) {
	s := newMemory()
	s.sub(1, store.Health{Failures: 5})
	for range 4 {
		s.add(1)
	}
	for seq, due := range map[uint64]int64{
		1: order.Parked(3), 2: s.now + 500, 3: order.Parked(1), 4: order.Parked(3),
	} {
		s.Change(s.Sub(1), seq, schedule.Change{
			Pending: true, Position: order.Position{Due: due, Seq: seq},
		}, s.now)
	}
	req := store.ClaimRequest{Max: 9, BreakerThreshold: 5}
	l := s.want(t, req, "1/3")
	s.Release(l[0], s.now)
	s.TakeWake()
	s.SetHealth(s.Sub(1), &healthy, s.now)
	if !s.TakeWake() {
		t.Error("there is no wake-up as the breaker closes")
	}
	s.want(t, req, "1/3 1/1 1/4")
}
