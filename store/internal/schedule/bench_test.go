package schedule_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule"
)

// BenchmarkRound measures one claim of one delivery that is put back at once, where so many
// subscriptions have something due; and the same beside as many others that the limits keep back:
// each of itself, or all together.
func BenchmarkRound(b *testing.B) {
	for _, n := range []int{1, 1_000, 100_000} {
		for _, kept := range []string{"none", "own", "class"} {
			b.Run(fmt.Sprintf("due=%d/kept=%s", n, kept), func(b *testing.B) { benchmarkRound(b, n, kept) })
		}
	}
}

func benchmarkRound(b *testing.B, n int, kept string) {
	s := newMemory()
	req := store.ClaimRequest{
		Max: 1, Lease: time.Hour, PerSubscription: 2, MaxFailing: 1, BreakerThreshold: 1,
	}
	failing := store.Health{Failures: 5}
	switch kept {
	case "own":
		flood(s, 1, n, 2, healthy)
		s.claim(b, store.ClaimRequest{Max: n, Lease: time.Hour, PerSubscription: 1, BreakerThreshold: 1})
		req.PerSubscription = 1
	case "class":
		flood(s, 1, n, 2, failing)
		s.claim(b, store.ClaimRequest{Max: 1, Lease: time.Hour})
	}
	flood(s, n+1, max(n, 2), 1, healthy) // two, so that one is due while the other is leased
	s.Release(s.claim(b, req)[0], s.now) // the first puts aside all that are at their limit
	for b.Loop() {
		leases := s.claim(b, req)
		if len(leases) != 1 || leases[0].Sub.Num <= uint64(n) {
			b.Fatalf("got %d leases", len(leases))
		}
		s.Release(leases[0], s.now)
	}
}

// flood gives each of some subscriptions so many first attempts.
func flood(s *memory, from, subs, each int, h store.Health) {
	for num := from; num < from+subs; num++ {
		s.sub(uint64(num), h)
		for range each {
			s.add(uint64(num))
		}
	}
}

var healthy = store.Health{Healthy: true}

// memory is a schedule with all in memory.
type memory struct {
	*turns
	now  int64
	last uint64
}

func newMemory() *memory {
	s := schedule.New[struct{}, struct{}](schedule.Options{Idle: 1 << 30})
	return &memory{turns: s, now: 1000}
}

// sub makes a subscription known, with a health.
func (s *memory) sub(num uint64, h store.Health) *sub {
	q := s.Ensure(num)
	s.SetState(q, schedule.State{Active: true, Health: &h}, s.now)
	return q
}

// add enqueues an event, and returns its number.
func (s *memory) add(num uint64) uint64 {
	s.last++
	s.AddImplicit(s.Ensure(num), s.last, s.now)
	return s.last
}

// retry makes a delivery a retry that is due so much later.
func (s *memory) retry(num, seq uint64, in int64) {
	s.Change(s.Ensure(num), seq, schedule.Change{
		Pending: true, EndLease: true, Position: order.Position{Due: s.now + in, Seq: seq},
	}, s.now)
}

// claim claims. It lacks nothing.
func (s *memory) claim(tb testing.TB, req store.ClaimRequest) []*lease {
	tb.Helper()
	r := s.Round(&req, s.now)
	if lacks := r.Run(); len(lacks) > 0 {
		tb.Fatalf("it lacks %+v", lacks)
	}
	return r.Leases
}
