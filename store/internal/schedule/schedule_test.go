package schedule_test

import (
	"fmt"
	"slices"
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
		{"in the order of events", []store.Health{healthy}, []uint64{1, 1, 1}, store.ClaimRequest{Max: 2}, "1/1 1/2"},
		{"subscriptions in turn", []store.Health{healthy, healthy}, []uint64{1, 1, 1, 2, 2}, store.ClaimRequest{Max: 5},
			"1/1 2/4 1/2 2/5 1/3"},
		{"classes in turn", []store.Health{failing, healthy, unhealthy, healthy}, []uint64{1, 1, 2, 2, 3, 3, 4},
			store.ClaimRequest{Max: 6}, "2/3 3/5 1/1 4/7 3/6 1/2"},
		{"one at its limit is passed over", []store.Health{healthy, healthy}, []uint64{1, 1, 1, 2, 2, 2},
			store.ClaimRequest{Max: 9, PerSubscription: 2}, "1/1 2/4 1/2 2/5"},
		{"a probe at a time", []store.Health{{Failures: 5}, failing}, []uint64{1, 1, 2, 2},
			store.ClaimRequest{Max: 9, BreakerThreshold: 5}, "1/2 2/3 2/4"},
		{"slow start", []store.Health{{Healthy: true, SlowStart: 2}}, []uint64{1, 1, 1, 1, 1},
			store.ClaimRequest{Max: 9, PerSubscription: 8}, "1/1 1/2"},
		{"one at least in a slow start", []store.Health{{Healthy: true, SlowStart: 8}}, []uint64{1, 1},
			store.ClaimRequest{Max: 9, PerSubscription: 16}, "1/1"},
		{"the failing leave room to the new", []store.Health{failing, unhealthy}, []uint64{1, 1, 1, 2, 2, 2},
			store.ClaimRequest{Max: 9, MaxUnhealthy: 4, MaxFailing: 1}, "2/4 1/1 2/5 2/6"},
		{"the unhealthy leave room to the healthy", []store.Health{unhealthy, healthy}, []uint64{1, 1, 1, 2, 2},
			store.ClaimRequest{Max: 9, MaxUnhealthy: 1}, "2/4 1/1 2/5"},
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
		t.Error("nobody is woken as there is room again")
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
		{"it is given back in its place", func(s *memory, l *lease) { s.Release(l, s.now) }, false, "1/1"},
		{"it runs out", func(s *memory, l *lease) { s.now += 20; s.Expire(s.now) }, true, "1/1"},
		{"it runs out, and its outcome comes before another claim", func(s *memory, l *lease) {
			s.now += 20
			s.Expire(s.now)
			s.Seal(l, true, s.now)
		}, false, "1/2"},
		{"its outcome is not recorded", func(s *memory, l *lease) { s.Seal(l, true, s.now); s.now += 20; s.Unseal(l) }, true, "1/1"},
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
		t.Error("nobody is woken by a shorter postponement")
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

// TestLimitsKeepManyBack holds that thousands that are at their limit hide nobody, and that claims
// do not look at each: then one would take a thousand times as long as beside few.
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

// TestNewerFile holds that a delivery that a load finds in two places is claimed once.
func TestNewerFile(t *testing.T) {
	s, q := newWindows()
	r := s.Round(&store.ClaimRequest{Max: 9, Lease: 100}, 0)
	at := schedule.LoadedWindow{OK: true, Complete: true, UpTo: schedule.Position{Seq: 5}}
	var loaded schedule.Loaded
	for w := range loaded.Windows {
		loaded.Windows[w] = at
		if schedule.Source(w) != schedule.Retry {
			loaded.Windows[w].Positions = []schedule.Position{{Seq: 5}}
		}
	}
	s.Load(&r.Run()[0], loaded, 0)
	if lacks := r.Run(); len(lacks) > 0 || names(r.Leases) != "1/5" || s.InFlight(q) != 1 {
		t.Errorf("leased %q, and it lacks %+v", names(r.Leases), lacks)
	}
}

// TestCancelDuringLoads holds that what changed before a canceling is not put into what is loaded
// after it.
func TestCancelDuringLoads(t *testing.T) {
	s, q := newWindows()
	req := store.ClaimRequest{Max: 9, Lease: 100}
	s.Round(&req, 0).Run() // its load is not answered
	s.Change(q, 5, schedule.Change{Pending: true, Position: schedule.Position{Seq: 5}}, 0)
	s.Cancel(q, 9, 0)
	r := s.Round(&req, 0)
	lacks := r.Run()
	var loaded schedule.Loaded
	for w := range loaded.Windows {
		loaded.Windows[w] = schedule.LoadedWindow{OK: true, Complete: true, UpTo: schedule.Position{Seq: 9}}
	}
	s.Load(&lacks[0], loaded, 0)
	if lacks := r.Run(); len(lacks) > 0 || len(r.Leases) > 0 {
		t.Errorf("leased %q, which is canceled, and it lacks %+v", names(r.Leases), lacks)
	}
}

// TestLateOutcomeOfPacked holds what becomes of a delivery that was packed after its lease had run
// out, and has its outcome then: it is not claimed once that is recorded, and it is if recording
// has failed.
func TestLateOutcomeOfPacked(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(s *turns, q *sub, l *lease)
		want string
	}{
		{"recorded", func(s *turns, q *sub, l *lease) { s.Change(q, l.Seq, schedule.Change{}, 10) }, ""},
		{"not recorded", func(s *turns, _ *sub, l *lease) { s.Unseal(l) }, "1/1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := schedule.New[struct{}, struct{}](schedule.Options{Window: 4, Idle: 4})
			q := s.Ensure(1)
			s.SetState(q, schedule.State{Active: true, Health: healthy}, 0)
			s.AddImplicit(q, 1, 0)
			r := s.Round(&store.ClaimRequest{Max: 1, Lease: 10}, 0)
			r.Run()
			l := r.Leases[0]
			s.Expire(10)
			s.Pack(q, []uint64{1}, func(uint64) bool { return false }, 10)
			s.Seal(l, true, 10)
			tt.end(s, q, l)
			r = s.Round(&store.ClaimRequest{Max: 1, Lease: 10}, 10)
			r.Run()
			if got := names(r.Leases); got != tt.want {
				t.Errorf("leased %q, want %q", got, tt.want)
			}
		})
	}
}

// newWindows returns a schedule with a subscription whose windows are to be loaded.
func newWindows() (*turns, *sub) {
	s := schedule.New[struct{}, struct{}](schedule.Options{Window: 4, Idle: 4})
	q := s.Ensure(1)
	s.SetState(q, schedule.State{Active: true, Health: healthy}, 0)
	s.Restart(q, 0)
	return s, q
}

// TestLoadBetween holds what two claims with a load each find that something happens to in between.
func TestLoadBetween(t *testing.T) {
	state := &schedule.State{Active: true, Health: healthy}
	positions := func(seqs ...uint64) (w schedule.LoadedWindow) {
		w.OK, w.Complete = true, true
		for _, seq := range seqs {
			w.Positions = append(w.Positions, schedule.Position{Seq: seq})
			w.UpTo.Seq = seq
		}
		return w
	}
	tests := []struct {
		name    string
		between func(s *turns, q *sub)
		want    string
	}{
		{"nothing", func(*turns, *sub) {}, "1/5 1/6"},
		{"one ends", func(s *turns, q *sub) { s.Change(q, 5, schedule.Change{}, 0) }, "1/6"},
		{"one is canceled and revived", func(s *turns, q *sub) {
			s.Change(q, 5, schedule.Change{}, 0)
			s.Change(q, 5, schedule.Change{Pending: true, Position: schedule.Position{Seq: 5}}, 0)
		}, "1/5 1/6"},
		{"all is complete", func(s *turns, q *sub) { s.Complete(q, 0) }, ""},
		{"another gets the number", func(s *turns, q *sub) { s.Forget(q); s.SetState(s.Ensure(1), *state, 0) }, ""},
		{"it is made inactive", func(s *turns, q *sub) { s.SetActive(q, false, 0) }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := schedule.New[struct{}, struct{}](schedule.Options{Window: 4, Idle: 4})
			q := s.Ensure(1)
			s.Restart(q, 0)
			r := s.Round(&store.ClaimRequest{Max: 9, Lease: 100}, 0)
			lacks := r.Run()
			for i := 0; len(lacks) > 0; i++ {
				if i > 3 {
					t.Fatalf("it still lacks %+v", lacks)
				}
				loaded := schedule.Loaded{State: state}
				if i > 0 {
					loaded.State = &schedule.State{} // as it is now
				}
				for w := range lacks[0].Windows {
					loaded.Windows[w] = positions()
				}
				if i == 0 {
					loaded.Windows[schedule.Packed] = positions(5, 6)
					tt.between(s, q)
				}
				s.Load(&lacks[0], loaded, 0)
				lacks = r.Run()
			}
			got := slices.Clone(r.Leases)
			slices.SortFunc(got, func(a, b *lease) int { return int(a.Seq) - int(b.Seq) })
			if names(got) != tt.want {
				t.Errorf("leased %q, want %q", names(got), tt.want)
			}
		})
	}
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
		t.Error("nobody is woken")
	}
	if got := s.Round(&store.ClaimRequest{Lease: 1}, s.now).NextDue(); got != 20 {
		t.Errorf("there is more in %d, want 20", got)
	}
}

// TestPaceOutlastsALease holds that a claim tells the time when more can be claimed after what it has
// itself taken: the pace of that may outlast a lease that runs out earlier.
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
