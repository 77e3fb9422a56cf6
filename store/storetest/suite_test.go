package storetest_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/storetest"
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

// TestRestart shows that the rules about restarts hold for a right store, whose leases end with it or outlive it.
func TestRestart(t *testing.T) {
	for name, reopen := range map[string]func(*testing.T, store.Store) store.Store{
		"leases end":     func(_ *testing.T, s store.Store) store.Store { s.(*restarting).restart(); return s },
		"leases outlive": func(_ *testing.T, s store.Store) store.Store { return s },
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Suite{
				Open:   func(*testing.T) store.Store { return &restarting{Store: memstore.New()} },
				Reopen: reopen,
				Seeds:  5,
			}.Run(t)
		})
	}
}

// restarting is a memstore whose leases end when it is restarted, as those of a store do that keeps them in memory.
type restarting struct {
	store.Store
	mu     sync.Mutex // guards leases
	leases []store.Lease
}

func (s *restarting) Claim(ctx context.Context, req store.ClaimRequest) (store.Claims, error) {
	claims, err := s.Store.Claim(ctx, req)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, cl := range claims.Claims {
		s.leases = append(s.leases, cl.Lease)
	}
	return claims, err
}

func (s *restarting) restart() {
	if err := s.Release(context.Background(), s.leases...); err != nil {
		panic(err)
	}
	s.leases = nil
}

// TestRestartBreakages shows that the rules about restarts bite.
func TestRestartBreakages(t *testing.T) {
	loses := func(*testing.T, store.Store) store.Store { return memstore.New() }
	suite := storetest.Suite{Open: openMemory, Reopen: loses}
	for name := range storetest.Names() {
		if !strings.HasPrefix(name, "restart/") {
			continue
		}
		if violated, _ := suite.Violations(t, name); len(violated) == 0 {
			t.Errorf("a store that loses everything, rule %s: got no violation, want one", name)
		}
	}
	if suite.Difference(t, 0, storetest.DefaultSteps) == "" {
		t.Error("a store that loses everything, compared: got no difference, want one")
	}

	suite = storetest.Suite{
		Open: func(*testing.T) store.Store {
			b := newBroken()
			b.claim = claimsWith(b, func(cl *store.Claim) { cl.Token = 1 })
			return b
		},
		Reopen: func(_ *testing.T, s store.Store) store.Store { return s },
	}
	if violated, _ := suite.Violations(t, "restart/claims"); len(violated) == 0 {
		t.Error("a store that gives tokens out again, rule restart/claims: got no violation, want one")
	}
}

func TestNames(t *testing.T) {
	for name, sentence := range storetest.Names() {
		if !strings.HasSuffix(sentence, ".") {
			t.Errorf("rule %s: got %q, want a sentence", name, sentence)
		}
	}
}
