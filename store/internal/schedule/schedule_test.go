package schedule_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
)

// names returns what was leased, as subscription/event.
func names(leases []*lease) string {
	var all []string
	for _, l := range leases {
		all = append(all, fmt.Sprintf("%d/%d", l.Sub.Num, l.Seq))
	}
	return strings.Join(all, " ")
}

func (s *memory) want(t *testing.T, req store.ClaimRequest, want string) []*lease {
	t.Helper()
	if req.Lease == 0 {
		req.Lease = 100
	}
	leases := s.claim(t, req)
	if got := names(leases); got != want {
		t.Errorf("leased %q, want %q", got, want)
	}
	return leases
}

func TestTurns(t *testing.T) {
	unhealthy, failing := store.Health{}, store.Health{Failures: 1}
	tests := []struct {
		name   string
		health []store.Health // of subscriptions 1, 2, …
		events []uint64       // whose the events are: 1, 2, …
		req    store.ClaimRequest
		want   string
	}{
		{
			"in the order of events",
			[]store.Health{healthy},
			[]uint64{1, 1, 1},
			store.ClaimRequest{Max: 2},
			"1/1 1/2",
		},
		{
			"subscriptions in turn",
			[]store.Health{healthy, healthy},
			[]uint64{1, 1, 1, 2, 2},
			store.ClaimRequest{Max: 5},
			"1/1 2/4 1/2 2/5 1/3",
		},
		{
			"classes in turn",
			[]store.Health{failing, healthy, unhealthy, healthy},
			[]uint64{1, 1, 2, 2, 3, 3, 4},
			store.ClaimRequest{Max: 6},
			"2/3 3/5 1/1 4/7 3/6 1/2",
		},
		{"one at its limit is passed over", []store.Health{healthy, healthy}, []uint64{1, 1, 1, 2, 2, 2},
			store.ClaimRequest{Max: 9, PerSubscription: 2}, "1/1 2/4 1/2 2/5"},
		{"a probe at a time", []store.Health{{Failures: 5}, failing}, []uint64{1, 1, 2, 2},
			store.ClaimRequest{Max: 9, BreakerThreshold: 5}, "1/2 2/3 2/4"},
		{"slow start", []store.Health{{Healthy: true, SlowStart: 2}}, []uint64{1, 1, 1, 1, 1},
			store.ClaimRequest{Max: 9, PerSubscription: 8}, "1/1 1/2"},
		{"one at least in a slow start", []store.Health{{Healthy: true, SlowStart: 8}}, []uint64{1, 1},
			store.ClaimRequest{Max: 9, PerSubscription: 16}, "1/1"},
		{
			"the failing leave room to the new",
			[]store.Health{failing, unhealthy},
			[]uint64{1, 1, 1, 2, 2, 2},
			store.ClaimRequest{Max: 9, MaxUnhealthy: 4, MaxFailing: 1},
			"2/4 1/1 2/5 2/6",
		},
		{
			"the unhealthy leave room to the healthy",
			[]store.Health{unhealthy, healthy},
			[]uint64{1, 1, 1, 2, 2},
			store.ClaimRequest{Max: 9, MaxUnhealthy: 1},
			"2/4 1/1 2/5",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newMemory()
			for i, h := range tt.health {
				s.sub(uint64(i+1), h)
			}
			for _, num := range tt.events {
				s.add(num)
			}
			s.want(t, tt.req, tt.want)
		})
	}
}

// TestTurnIsKeptAtALimit holds that a subscription that was passed over at its limit comes first
// when it has room again.
func TestTurnIsKeptAtALimit(t *testing.T) {
	s := newMemory()
	flood(s, 1, 3, 4, healthy) // events 1 to 4, 5 to 8, 9 to 12
	one := store.ClaimRequest{Max: 1, PerSubscription: 1}
	first := s.want(t, one, "1/1")
	s.want(t, store.ClaimRequest{Max: 9, PerSubscription: 1}, "2/5 3/9")
	s.want(t, one, "")
	s.End(first[0], s.now)
	if !s.TakeWake() {
		t.Error("there is no wake-up as there is room again")
	}
	s.want(t, one, "1/2")
	s.want(t, store.ClaimRequest{Max: 3, PerSubscription: 2}, "2/6 3/10 1/3")
	s.want(t, one, "")
	s.want(t, store.ClaimRequest{Max: 2}, "2/7 3/11") // no limit: all are looked at again
}

func TestFirstAttemptsAndRetriesTakeTurns(t *testing.T) {
	s := newMemory()
	q := s.sub(1, healthy)
	for range 6 {
		s.add(1)
	}
	for seq, in := range map[uint64]int64{1: 3, 2: 1, 3: 50} {
		s.retry(1, seq, in)
	}
	s.Pack(q, []uint64{6}, func(uint64) bool { return false }, s.now)
	s.want(t, store.ClaimRequest{Max: 1}, "1/4")
	s.now += 10
	s.want(t, store.ClaimRequest{Max: 9}, "1/2 1/5 1/1 1/6")
	r := s.Round(&store.ClaimRequest{Lease: 1}, s.now)
	if got := r.NextDue(); got != 40 {
		t.Errorf("there is more in %d, want 40", got)
	}
}

func TestLeaseEnds(t *testing.T) {
	req := store.ClaimRequest{Max: 1, Lease: 20}
	tests := []struct {
		name string
		end  func(s *memory, l *lease)
		good bool   // the token is afterwards
		next string // what is claimed next
	}{
		{"it runs", func(*memory, *lease) {}, true, "1/2"},
		{
			"it is given back in its place",
			func(s *memory, l *lease) { s.Release(l, s.now) },
			false,
			"1/1",
		},
		{"it runs out", func(s *memory, l *lease) { s.now += 20; s.Expire(s.now) }, true, "1/1"},
		{"it runs out, and its outcome comes before another claim", func(s *memory, l *lease) {
			s.now += 20
			s.Expire(s.now)
			s.Seal(l, true, s.now)
		}, false, "1/2"},
		{
			"its outcome is not recorded",
			func(s *memory, l *lease) { s.Seal(l, true, s.now); s.now += 20; s.Unseal(l) },
			true,
			"1/1",
		},
		{"its outcome is recorded", func(s *memory, l *lease) {
			s.Seal(l, true, s.now)
			s.Change(l.Sub, l.Seq, schedule.Change{}, s.now)
		}, false, "1/2"},
		{"it is tried again at once", func(s *memory, l *lease) { s.retry(1, l.Seq, 0) }, false, "1/1"},
		{"nothing is pending any more", func(s *memory, l *lease) { s.Clear(l.Sub, s.now) }, false, ""},
		{"its subscription is gone", func(s *memory, l *lease) { s.Forget(l.Sub) }, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newMemory()
			flood(s, 1, 1, 2, healthy)
			l := s.want(t, req, "1/1")[0]
			tt.end(s, l)
			if got := s.Present(l.Token) != nil; got != tt.good {
				t.Errorf("its token is good: %v, want %v", got, tt.good)
			}
			next := s.want(t, req, tt.next)
			if len(next) > 0 && next[0].Seq == l.Seq && s.Present(l.Token) != nil {
				t.Error("its token is good although the delivery is claimed again")
			}
		})
	}
}

func TestPostpone(t *testing.T) {
	s := newMemory()
	flood(s, 1, 2, 2, healthy)
	req := store.ClaimRequest{Max: 1, PerSubscription: 1}
	s.Postpone(1, 30, s.now)
	s.want(t, store.ClaimRequest{Max: 9, PerSubscription: 1}, "2/3")
	if got := s.Round(&store.ClaimRequest{Lease: 1}, s.now).NextDue(); got != 30 {
		t.Errorf("there is more in %d, want 30", got)
	}
	s.TakeWake()
	s.Postpone(1, 10, s.now)
	if !s.TakeWake() {
		t.Error("there is no wake-up by a shorter postponement")
	}
	s.now += 10
	s.want(t, req, "1/1")
	s.Postpone(3, 30, s.now) // before anything is known of it
	s.sub(3, healthy)
	s.add(3)
	s.want(t, req, "")
	s.Postpone(3, 0, s.now)
	s.want(t, req, "3/5")
}

// TestOwnLimit has a subscription with a limit of its own, less or more than that of all.
func TestOwnLimit(t *testing.T) {
	s := newMemory()
	flood(s, 1, 2, 6, healthy)
	req := store.ClaimRequest{Max: 20, PerSubscription: 2}
	limit := func(num uint64, n int, d time.Duration) {
		s.Pause(num, store.Pause{Limit: n, For: d}, s.now)
	}
	limit(1, 1, 30)
	s.want(t, req, "1/1 2/7 2/8")
	limit(1, 4, 30) // it is aside at its limit, and has room now
	s.want(t, req, "1/2 1/3 1/4")
	limit(1, 1, 30)
	s.want(t, req, "")
	s.now += 30
	limit(3, 1, 30) // before anything is known of it
	s.sub(3, healthy)
	s.add(3)
	s.add(3)
	s.want(t, req, "3/13")
	limit(3, 1, 0)
	s.want(t, req, "3/14")
	s.sub(4, healthy)
	s.add(4)
	s.add(4)
	limit(4, 1, 30)
	s.want(t, req, "4/15")
	s.now += 30 // its end comes by itself
	s.want(t, req, "4/16")
}

// TestLimitsKeepManyBack holds that thousands that are at their limit hide no other, and that
// claims do not look at each: then one would take a thousand times as long as beside few.
func TestLimitsKeepManyBack(t *testing.T) {
	few, many := claimBeside(t, 20), claimBeside(t, 20_000)
	if many > 100*few {
		t.Errorf("a claim takes %v beside 20,000 at their limit, and %v beside 20", many, few)
	}
}

// claimBeside returns the least time that a claim of another takes beside n at their limit.
func claimBeside(t *testing.T, n int) time.Duration {
	s := newMemory()
	flood(s, 1, n, 2, healthy)
	req := store.ClaimRequest{Max: n, Lease: time.Hour, PerSubscription: 1}
	if got := len(s.claim(t, req)); got != n {
		t.Fatalf("leased %d", got)
	}
	flood(s, n+1, 1, 50, healthy)
	least := time.Hour
	for range 50 {
		began := time.Now()
		l := s.claim(t, req)
		least = min(least, time.Since(began))
		if len(l) != 1 || l[0].Sub.Num != uint64(n+1) {
			t.Fatalf("leased %s", names(l))
		}
		s.Change(l[0].Sub, l[0].Seq, schedule.Change{}, s.now)
	}
	return least
}

// TestTimeGoesOn holds that a call with an earlier time takes no turn away.
func TestTimeGoesOn(t *testing.T) {
	s := newMemory()
	flood(s, 1, 1, 1, store.Health{Healthy: true, NextProbeAt: time.Unix(0, s.now+10)})
	before := s.now
	s.now += 20
	s.want(t, store.ClaimRequest{}, "")
	flood(s, 2, 1, 1, healthy)
	s.AddImplicit(s.Sub(1), 9, before)
	s.want(t, store.ClaimRequest{Max: 1}, "1/1")
}

// TestUnsealWakes holds that a lease whose outcome was not recorded is waited for again: claims in
// between were told that there is nothing to wait for.
func TestUnsealWakes(t *testing.T) {
	s := newMemory()
	flood(s, 1, 1, 1, healthy)
	l := s.want(t, store.ClaimRequest{Max: 1, Lease: 20}, "1/1")[0]
	s.Seal(l, true, s.now)
	if got := s.Round(&store.ClaimRequest{Lease: 1}, s.now).NextDue(); got != store.NoneDue {
		t.Errorf("there is more in %d, and the lease can't run out", got)
	}
	s.TakeWake()
	s.Unseal(l)
	if !s.TakeWake() {
		t.Error("there is no wake-up")
	}
	if got := s.Round(&store.ClaimRequest{Lease: 1}, s.now).NextDue(); got != 20 {
		t.Errorf("there is more in %d, want 20", got)
	}
}

// TestPaceOutlastsALease holds that a claim tells the time when more can be claimed after what it
// has itself taken: the pace of that may outlast a lease that runs out earlier.
func TestPaceOutlastsALease(t *testing.T) {
	s := newMemory()
	s.sub(1, store.Health{Healthy: true, Pace: 3})
	s.add(1)
	s.add(1)
	s.want(t, store.ClaimRequest{Max: 1, Lease: 5}, "1/1")
	s.now += 4
	r := s.Round(&store.ClaimRequest{Max: 1, Lease: 50}, s.now)
	if lacks := r.Run(); len(lacks) > 0 || names(r.Leases) != "1/2" {
		t.Fatalf("leased %q, and it lacks %+v", names(r.Leases), lacks)
	}
	if got := r.NextDue(); got != 3 {
		t.Errorf("there is more in %d, want 3", got)
	}
}
