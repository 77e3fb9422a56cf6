package schedule_test

import (
	"slices"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule"
)

// TestNewerFile holds that a delivery that a load finds in two places is claimed once.
func TestNewerFile(t *testing.T) {
	s, q := newWindows()
	r := s.Round(&store.ClaimRequest{Max: 9, Lease: 100}, 0)
	at := schedule.LoadedWindow{OK: true, Complete: true, UpTo: order.Position{Seq: 5}}
	var loaded schedule.Loaded
	for w := range loaded.Windows {
		loaded.Windows[w] = at
		if order.Source(w) != order.Retry {
			loaded.Windows[w].Positions = []order.Position{{Seq: 5}}
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
	s.Change(q, 5, schedule.Change{Pending: true, Position: order.Position{Seq: 5}}, 0)
	s.Cancel(q, 9, 0)
	r := s.Round(&req, 0)
	lacks := r.Run()
	var loaded schedule.Loaded
	for w := range loaded.Windows {
		loaded.Windows[w] = schedule.LoadedWindow{
			OK:       true,
			Complete: true,
			UpTo:     order.Position{Seq: 9},
		}
	}
	s.Load(&lacks[0], loaded, 0)
	if lacks := r.Run(); len(lacks) > 0 || len(r.Leases) > 0 {
		t.Errorf("leased %q, which is canceled, and it lacks %+v", names(r.Leases), lacks)
	}
}

// TestLateOutcomeOfPacked has a delivery packed after its lease has run out, and then its outcome:
// the delivery is not claimed once that is recorded, and it is if recording has failed.
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
			s.SetState(q, schedule.State{Active: true, Health: &healthy}, 0)
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
	s.SetState(q, schedule.State{Active: true, Health: &healthy}, 0)
	s.Restart(q, 0)
	return s, q
}

// TestLoadBetween holds what two claims with a load each find that something happens to in between.
func TestLoadBetween(t *testing.T) {
	state := &schedule.State{Active: true, Health: &healthy}
	positions := func(seqs ...uint64) (w schedule.LoadedWindow) {
		w.OK, w.Complete = true, true
		for _, seq := range seqs {
			w.Positions = append(w.Positions, order.Position{Seq: seq})
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
			s.Change(q, 5, schedule.Change{Pending: true, Position: order.Position{Seq: 5}}, 0)
		}, "1/5 1/6"},
		{"all is complete", func(s *turns, q *sub) { s.Complete(q, 0) }, ""},
		{
			"another gets the number",
			func(s *turns, q *sub) { s.Forget(q); s.SetState(s.Ensure(1), *state, 0) },
			"",
		},
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
					loaded.Windows[order.Packed] = positions(5, 6)
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

// TestRestartDuringALoad holds that a load is thrown away whose window was restarted meanwhile: it
// begins behind where the window is to begin now.
func TestRestartDuringALoad(t *testing.T) {
	s, q := newWindows()
	// first answers a lack with first attempts that have a record of their own.
	first := func(lack schedule.Lack, complete bool, seqs ...uint64) {
		var loaded schedule.Loaded
		for w := range loaded.Windows {
			loaded.Windows[w] = schedule.LoadedWindow{OK: true, Complete: true}
		}
		w := &loaded.Windows[order.First]
		w.Complete = complete
		for _, seq := range seqs {
			w.UpTo = order.Position{Seq: seq}
			w.Positions = append(w.Positions, w.UpTo)
		}
		s.Load(&lack, loaded, 0)
	}
	r := s.Round(&store.ClaimRequest{Max: 9, Lease: 100}, 0)
	first(r.Run()[0], false, 3)
	stale := r.Run()[0] // for what comes after 3, which it has leased
	s.ReloadRecorded(q, 0)
	first(stale, true, 4)
	lacks := r.Run()
	if len(lacks) != 1 {
		t.Fatalf("leased %q, and it lacks %+v; 2 is to be loaded", names(r.Leases), lacks)
	}
	first(lacks[0], true, 2, 4)
	if lacks := r.Run(); len(lacks) > 0 || names(r.Leases) != "1/3 1/2 1/4" {
		t.Errorf("leased %q, and it lacks %+v", names(r.Leases), lacks)
	}
}
