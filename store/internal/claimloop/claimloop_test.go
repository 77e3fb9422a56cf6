package claimloop_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/claimloop"
	"github.com/outhook/outhook/store/internal/schedule"
)

// claims returns so many claims.
func claims(n int) []store.Claim { return make([]store.Claim, n) }

var errBroken = errors.New("broken")

func TestRun(t *testing.T) {
	for name, tc := range map[string]struct {
		goes    []claimloop.Go // the last is repeated
		err     error          // of the last
		maxes   []int          // what each go was asked for
		claims  int
		nextDue time.Duration
	}{
		"one go": {
			goes:  []claimloop.Go{{Claims: claims(3), NextDue: time.Minute}},
			maxes: []int{10}, claims: 3, nextDue: time.Minute,
		},
		"the next go has the room that is left, and knows when more is due": {
			goes: []claimloop.Go{
				{Claims: claims(3), NextDue: time.Minute, Again: true,
					Leased: store.Leased{Unhealthy: 3, Failing: 1}},
				{Claims: claims(2), NextDue: time.Second,
					Leased: store.Leased{Unhealthy: 5, Failing: 2}},
			},
			maxes: []int{10, 7}, claims: 5, nextDue: time.Second,
		},
		"not for ever": {
			goes:  []claimloop.Go{{NextDue: time.Minute, Again: true}},
			maxes: slices.Repeat([]int{10}, claimloop.MaxGoes), nextDue: 0,
		},
		"what is leased is returned beside the error": {
			goes: []claimloop.Go{
				{Claims: claims(3), NextDue: time.Minute, Again: true}, {Claims: claims(1)},
			},
			err:   errBroken,
			maxes: []int{10, 7}, claims: 4, nextDue: 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var maxes []int
			got, err := claimloop.Run(store.ClaimRequest{Max: 10},
				func(req store.ClaimRequest) (claimloop.Go, error) {
					i := min(len(maxes), len(tc.goes)-1)
					maxes = append(maxes, req.Max)
					if i == len(tc.goes)-1 {
						return tc.goes[i], tc.err
					}
					return tc.goes[i], nil
				})
			if err != tc.err || len(got.Claims) != tc.claims || got.NextDue != tc.nextDue {
				t.Errorf("got %d claims, next due in %v, %v; want %d, %v, %v",
					len(got.Claims), got.NextDue, err, tc.claims, tc.nextDue, tc.err)
			}
			if want := tc.goes[len(tc.goes)-1].Leased; got.Leased != want {
				t.Errorf("leased: got %+v, want that of the last go, %+v", got.Leased, want)
			}
			if !slices.Equal(maxes, tc.maxes) {
				t.Errorf("asked for: got %v, want %v", maxes, tc.maxes)
			}
		})
	}
}

// lock is a mutex that knows whether it is held.
type lock struct {
	sync.Mutex
	held bool
}

func (l *lock) Lock()   { l.Mutex.Lock(); l.held = true }
func (l *lock) Unlock() { l.held = false; l.Mutex.Unlock() }

// lacking returns a schedule with a delivery of a subscription that it knows nothing else of.
func lacking() *schedule.Schedule[int, int] {
	s := schedule.New[int, int](schedule.Options{Window: 10, Idle: 10})
	s.AddImplicit(s.Ensure(1), 7, 0)
	return s
}

// TestChoose checks that what the schedule lacks is loaded without the lock, and that what is
// chosen is seen with it.
func TestChoose(t *testing.T) {
	mu, s := &lock{}, lacking()
	loads := 0
	c := claimloop.Chooser[int, int]{Mu: mu, Schedule: s,
		Load: func(_ context.Context, lacks []schedule.Lack) error {
			if mu.held {
				t.Error("the lock is held over a load")
			}
			loads++
			for i := range lacks {
				loaded := schedule.Loaded{State: &schedule.State{Active: true,
					Health: &store.Health{Healthy: true}}}
				for w := range loaded.Windows {
					loaded.Windows[w] = schedule.LoadedWindow{OK: true, Complete: true}
				}
				s.Load(&lacks[i], loaded, 0)
			}
			return nil
		}}
	var round *schedule.Round[int, int]
	chosen := 0
	req := store.ClaimRequest{Max: 10, Lease: time.Minute}
	err := c.Choose(t.Context(), &req, func() int64 { return 0 }, &round, func() {
		if !mu.held {
			t.Error("the lock is not held when it is chosen")
		}
		chosen = len(round.Leases)
	})
	if err != nil || loads == 0 || chosen != 1 {
		t.Errorf("got %d chosen after %d loads, %v; want 1 after some", chosen, loads, err)
	}
}

// TestChooseFails checks that the caller has the round when a load fails, to give up its leases.
func TestChooseFails(t *testing.T) {
	c := claimloop.Chooser[int, int]{Mu: &lock{}, Schedule: lacking(),
		Load: func(context.Context, []schedule.Lack) error {
			return errBroken
		}}
	var round *schedule.Round[int, int]
	req := store.ClaimRequest{Max: 10, Lease: time.Minute}
	err := c.Choose(t.Context(), &req, func() int64 {
		return 0
	}, &round, func() { t.Error("it was chosen") })
	if err != errBroken || round == nil {
		t.Errorf("got %v, round %v; want the error of the load, and a round", err, round)
	}
}
