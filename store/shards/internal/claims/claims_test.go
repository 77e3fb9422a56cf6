package claims_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/calls"
	"github.com/outhook/outhook/store/shards/internal/claims"
)

// spring is a source that has always something.
type spring struct {
	takes time.Duration // each Claim

	mu       sync.Mutex // guards below
	token    uint64
	leased   map[uint64]bool
	released int // by Release, and not by ReleaseLater
}

func (s *spring) Claim(_ context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	<-time.After(s.takes) // whatever the context says, as a slow disk does
	s.mu.Lock()
	defer s.mu.Unlock()
	result := store.ClaimResult{NextDue: store.NoneDue}
	for range req.Max {
		s.token++
		s.leased[s.token] = true
		result.Claims = append(result.Claims, store.Claim{
			Lease:        store.Lease{SubscriptionID: "a", Token: s.token},
			Subscription: &store.Subscription{URL: "https://endpoint.example/"},
		})
	}
	return result, nil
}

func (s *spring) Release(_ context.Context, leases ...store.Lease) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.released += len(leases)
	for _, l := range leases {
		delete(s.leased, l.Token)
	}
	return nil
}

func (s *spring) ReleaseLater(leases []store.Lease) {
	_ = s.Release(context.Background(), leases...)
}
func (s *spring) HasStirred() bool     { return true }
func (s *spring) Asked()               {}
func (s *spring) TakeTrouble() error   { return nil }
func (s *spring) Wrap(err error) error { return err }

func over(sources ...claims.Source) *claims.Claims {
	return claims.New(sources, claims.Config{
		Calls: calls.NewGroup(), Wake: func() {},
		Find:  func(string) (int, bool) { return 0, false },
		Found: func(string, int) {},
	})
}

// TestCloseGivesBack closes when claims of a slow store are on their way. What came too late for
// any Claim is given back, so that its deliveries need not wait for the end of their leases.
func TestCloseGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quick, slow := &spring{leased: map[uint64]bool{}}, &spring{takes: time.Second,
			leased: map[uint64]bool{}}
		cs := over(quick, slow)
		got, err := cs.Claim(t.Context(), store.ClaimRequest{Max: 10, Lease: time.Minute})
		if err != nil || len(got.Claims) != 10 {
			t.Fatalf("Claim: got %d, %v, want all from the quick one", len(got.Claims), err)
		}
		cs.Calls.Close(t.Context()) // waits for the slow one
		if len(slow.leased) == 0 {
			t.Fatal("the slow store has claimed nothing, so nothing is tested")
		}
		cs.Close(t.Context())
		if len(slow.leased) > 0 {
			t.Errorf("%d claims were not given back", len(slow.leased))
		}
		if len(quick.leased) != 10 || quick.released > 0 {
			t.Errorf("%d of 10 claims that were handed out are leased", len(quick.leased))
		}
	})
}

// TestStoreOf wants the store of a lease to be known while it runs, and until it has ended.
func TestStoreOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := &spring{leased: map[uint64]bool{}}, &spring{leased: map[uint64]bool{}, token: 1000}
		cs := over(a, b)
		got, err := cs.Claim(t.Context(), store.ClaimRequest{Max: 4, Lease: time.Minute})
		if err != nil || len(got.Claims) != 4 {
			t.Fatalf("Claim: got %d, %v", len(got.Claims), err)
		}
		for i := range got.Claims {
			l := got.Claims[i].Lease
			want := 0
			if l.Token > 1000 {
				want = 1
			}
			if from, ok := cs.StoreOf(l); !ok || from != want {
				t.Errorf("StoreOf(%+v): got %d, %t, want %d", l, from, ok, want)
			}
		}
		cs.Ended([]store.Lease{got.Claims[0].Lease})
		if _, ok := cs.StoreOf(got.Claims[0].Lease); ok {
			t.Error("StoreOf a lease that has ended: got one")
		}
		<-time.After(2 * time.Minute)
		if _, ok := cs.StoreOf(got.Claims[1].Lease); ok {
			t.Error("StoreOf a lease that has run out: got one")
		}
	})
}
