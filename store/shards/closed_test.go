package shards_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/memstore"
)

// TestClosedTenant closes a tenant in each store that can move tenants: nothing is taken for it and
// nothing of it is claimed, until it is settled. Another tenant goes on.
func TestClosedTenant(t *testing.T) {
	file, err := boltstore.Open(filepath.Join(t.TempDir(), "hooks.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, s := range map[string]interface {
		store.Store
		store.TenantMover
	}{"memory": memstore.New(), "file": file} {
		t.Run(name, func(t *testing.T) {
			event := func(tenant string) events.Event {
				ev, err := events.New("a.b", map[string]int{"n": 1})
				if err != nil {
					t.Fatal(err)
				}
				ev.Tenant = tenant
				return ev
			}
			claims := func(what string, want int) {
				t.Helper()
				got, err := s.Claim(t.Context(), store.ClaimRequest{Max: 10, Lease: time.Hour})
				if err != nil || len(got.Claims) != want {
					t.Errorf("%s: got %d claims, %v, want %d", what, len(got.Claims), err, want)
				}
			}
			for _, tenant := range []string{"moves", "stays"} {
				if _, err := s.CreateSubscription(t.Context(), store.Subscription{
					ID: tenant, Tenant: tenant, URL: "https://a.example/", Status: store.Subscribed,
				}); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Enqueue(t.Context(), event("moves")); err != nil {
				t.Fatal(err)
			}
			for _, phase := range []store.TenantPhase{store.TenantArriving, store.TenantLeaving} {
				state := store.TenantState{Phase: phase, Peer: 1}
				if err := s.SetTenantState(t.Context(), "moves", state); err != nil {
					t.Fatal(err)
				}
				if err := s.Enqueue(t.Context(), event("moves")); !errors.Is(err, store.ErrMoved) {
					t.Errorf("Enqueue in phase %d: got %v, want store.ErrMoved", phase, err)
				}
				if err := s.Enqueue(t.Context(), event("stays")); err != nil {
					t.Errorf("Enqueue for another tenant: %v", err)
				}
				claims("of the other tenant alone", 1)
			}
			if err := s.SetTenantState(t.Context(), "moves", store.TenantState{}); err != nil {
				t.Fatal(err)
			}
			claims("settled again", 1)
			if err := s.Enqueue(t.Context(), event("moves")); err != nil {
				t.Errorf("Enqueue, settled again: %v", err)
			}
			claims("what came then", 1)
		})
	}
}
