package storetest_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/storetest"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func openMemory(*testing.T) store.Store { return memstore.New() }

// TestRealTime shows that the rules hold for a right store also when the time is real.
func TestRealTime(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for real time to pass")
	}
	t.Parallel()
	storetest.Suite{Open: openMemory, RealTime: true, Seeds: 3}.Run(t)
}

// TestRestart shows that the rules about restarts hold for a right store, whose leases end with it
// or outlive it.
func TestRestart(t *testing.T) {
	t.Parallel()
	for name, restart := range map[string]func(*restarting){
		"leases end":     func(s *restarting) { s.endPauses(); s.endLeases() },
		"leases outlive": func(s *restarting) { s.endPauses() },
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Suite{
				Open: func(*testing.T) store.Store { return &restarting{Store: memstore.New()} },
				Reopen: func(_ *testing.T, s store.Store) store.Store {
					restart(s.(*restarting))
					return s
				},
				Seeds: 5,
			}.Run(t)
		})
	}
}

// restarting is a memstore whose pauses end when it is restarted, and its leases too, as those of a
// store do that keeps them in memory.
type restarting struct {
	store.Store
	mu     sync.Mutex // guards all below
	leases []store.Lease
	paused []store.Pause
}

func (s *restarting) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	claims, err := s.Store.Claim(ctx, req)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = append(s.paused, req.Pauses...)
	for _, cl := range claims.Claims {
		s.leases = append(s.leases, cl.Lease)
	}
	return claims, err
}

func (s *restarting) endPauses() {
	for i := range s.paused {
		p := &s.paused[i]
		if p.For = 0; p.Limit < 0 || p.Limit > store.MaxLimit { // of a call that was refused
			p.Limit = 0
		}
	}
	if _, err := s.Store.Claim(context.Background(),
		store.ClaimRequest{Lease: 1, Pauses: s.paused}); err != nil {
		panic(err)
	}
	s.paused = nil
}

func (s *restarting) endLeases() {
	if err := s.Release(context.Background(), s.leases...); err != nil {
		panic(err)
	}
	s.leases = nil
}

// TestRestartBreakages shows that the rules about restarts bite.
func TestRestartBreakages(t *testing.T) {
	loses := func(*testing.T, store.Store) store.Store { return memstore.New() }
	suite := storetest.Suite{Open: openMemory, Reopen: loses}
	for _, name := range storetest.RestartRules() {
		if violated, _ := suite.Violations(t, name); len(violated) == 0 {
			t.Errorf("a store that loses everything, rule %s: got no violation, want one", name)
		}
	}
	if suite.Difference(t, 0, storetest.DefaultSteps) == "" {
		t.Error("a store that loses everything, compared: got no difference, want one")
	}

	suite = storetest.Suite{
		Open: func(*testing.T) store.Store {
			b := broken.New()
			b.OnClaim = broken.ClaimsWith(b, func(cl *store.Claim) { cl.Token = 1 })
			return b
		},
		Reopen: func(_ *testing.T, s store.Store) store.Store { return s },
	}
	if violated, _ := suite.Violations(t, "restart/claims"); len(violated) == 0 {
		t.Error("a store that gives tokens out again, rule restart/claims: " +
			"got no violation, want one")
	}

	suite.Open = openMemory
	if violated, _ := suite.Violations(t, "pause/not-kept"); len(violated) == 0 {
		t.Error("a store that keeps pauses, rule pause/not-kept: got no violation, want one")
	}
	different := false // few sequences pause, restart, and then claim
	for seed := uint64(0); seed < 100 && !different; seed++ {
		different = suite.Difference(t, seed, storetest.DefaultSteps) != ""
	}
	if !different {
		t.Error("a store that keeps pauses, compared: got no difference, want one")
	}
}

func TestNames(t *testing.T) {
	for name, sentence := range storetest.Names() {
		if !strings.HasSuffix(sentence, ".") {
			t.Errorf("rule %s: got %q, want a sentence", name, sentence)
		}
	}
}
