package schedule_test

import (
	"math"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule"
)

func TestScheduled(t *testing.T) {
	at := time.Date(2031, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	due := order.Scheduled(at.UnixMilli())
	if got := due - at.UnixNano(); got != 1000 {
		t.Errorf("due %d ns after the time, want a microsecond", got)
	}
	if order.Retrying(due) == due || order.Retrying(due+1) != due+1 {
		t.Errorf("Retrying of %d and the next: got %d and %d, want only the first to move", due,
			order.Retrying(due), order.Retrying(due+1))
	}
	// What the clock can't say is at its end, and in order.
	last := order.Scheduled(math.MaxInt64)
	if last < 0 || last < order.Scheduled(at.UnixMilli()) ||
		order.Scheduled(math.MaxInt64-1) != last {
		t.Errorf("the last time is %d", last)
	}
	// The small numbers that stand for no time are none of these.
	for _, small := range []int64{0, 1, 1000, 1001, order.Parked(math.MaxInt)} {
		if got := order.Retrying(small); got != small {
			t.Errorf("Retrying(%d) = %d, want it as it is", small, got)
		}
	}
}

// TestProbeOfWhatWaits has the breaker open over very many that are not to start before a time. A
// probe passes over them, for others behind them too; when there is nothing else the subscription
// sleeps until the first of them is due, which a probe may then take.
func TestProbeOfWhatWaits(t *testing.T) {
	s := newMemory()
	s.now = 1e15 // so that times are no small numbers
	s.sub(1, store.Health{Failures: 5})
	const many = 1000
	first := order.Scheduled(s.now/1e6 + 1)
	for range many {
		seq := s.add(1)
		s.Change(s.Sub(1), seq, schedule.Change{
			Pending: true,
			Position: order.Position{
				Due: order.Scheduled(s.now/1e6 + int64(seq)), Seq: seq,
			},
		}, s.now)
	}
	req := store.ClaimRequest{Max: 9, PerSubscription: 4, BreakerThreshold: 5, Lease: 1e9}
	s.want(t, req, "")
	// One that was tried is due between the first two of them, and another far behind.
	s.retry(1, s.add(1), first+500-s.now)
	l := s.want(t, req, "1/1001")
	s.Change(l[0].Sub, l[0].Seq, schedule.Change{}, s.now)
	fresh := s.add(1)
	if l = s.want(t, req, "1/1002"); len(l) != 1 || l[0].Seq != fresh {
		t.FailNow()
	}
	s.Change(l[0].Sub, l[0].Seq, schedule.Change{}, s.now)
	round := s.Round(&req, s.now)
	if lacks := round.Run(); len(lacks) > 0 || len(round.Leases) > 0 {
		t.Fatalf("lacks %v, %d leases, want none", lacks, len(round.Leases))
	}
	if got := round.NextDue(); got != time.Duration(first-s.now) {
		t.Errorf("NextDue = %v, want %v", got, time.Duration(first-s.now))
	}
	s.now = first
	l = s.want(t, req, "1/1")
	s.Change(l[0].Sub, l[0].Seq, schedule.Change{}, s.now)
	s.want(t, req, "")
	// Without the breaker what is due goes, and the rest waits.
	s.SetHealth(s.Sub(1), &healthy, s.now)
	s.now = order.Scheduled(1e15/1e6 + 3)
	s.want(t, req, "1/2 1/3")
}
