package pgstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// ofTenant returns events of a tenant.
func ofTenant(tenant string, n int) []events.Event {
	evs := someEvents(n)
	for i := range evs {
		evs[i].Tenant = tenant
	}
	return evs
}

// twoTenants stores a subscription of each of two tenants, with its tenant's name as its ID.
func twoTenants(t *testing.T, s *pgstore.Store) {
	t.Helper()
	for _, tenant := range []string{"moves", "stays"} {
		if _, err := s.CreateSubscription(t.Context(), store.Subscription{
			ID: tenant, Tenant: tenant, URL: "https://endpoint.example/", Status: store.Subscribed,
		}); err != nil {
			t.Fatal(err)
		}
	}
}

var leavingTenant = store.TenantState{Phase: store.TenantLeaving, Peer: 1}

func setState(t *testing.T, s *pgstore.Store, st store.TenantState) {
	t.Helper()
	if err := s.SetTenantState(t.Context(), "moves", st); err != nil {
		t.Fatal(err)
	}
}

// claimedOf claims all that a replica gets, and counts by subscription.
func claimedOf(t *testing.T, s *pgstore.Store) map[string][]store.Claim {
	t.Helper()
	got, err := s.Claim(t.Context(), store.ClaimRequest{Max: 100, Lease: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	by := make(map[string][]store.Claim)
	for _, cl := range got.Claims {
		by[cl.SubscriptionID] = append(by[cl.SubscriptionID], cl)
	}
	return by
}

// awaitInFlight waits until a replica says that so many deliveries of the subscription are leased.
func awaitInFlight(t *testing.T, s *pgstore.Store, want int) {
	t.Helper()
	deadline := time.Now().Add(progress)
	for {
		stats, err := s.Stats(t.Context(), "moves")
		if err == nil && stats.InFlight == want {
			return
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("InFlight: got %d, %v, want %d", stats.InFlight, err, want)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// changes are the calls that would change something of the tenant.
func changes(t *testing.T, s *pgstore.Store, id string) map[string]func() error {
	ctx := t.Context()
	return map[string]func() error{
		"Enqueue": func() error { return s.Enqueue(ctx, ofTenant("moves", 1)...) },
		"Enqueue with another's": func() error {
			return s.Enqueue(ctx, append(ofTenant("stays", 1), ofTenant("moves", 1)...)...)
		},
		"CreateSubscription": func() error {
			_, err := s.CreateSubscription(ctx, store.Subscription{ID: "another", Tenant: "moves",
				URL: "https://endpoint.example/", Status: store.Subscribed})
			return err
		},
		"UpdateSubscription": func() error {
			_, err := s.UpdateSubscription(ctx, "moves", func(sub *store.Subscription) error {
				sub.Name = "changed"
				return nil
			})
			return err
		},
		"DeleteSubscription": func() error { return s.DeleteSubscription(ctx, "moves") },
		"Requeue": func() error {
			_, err := s.Requeue(ctx, store.DeliveryQuery{Tenant: "moves"})
			return err
		},
		"Recovered": func() error { return s.Recovered(ctx, "moves") },
		"Erase": func() error {
			_, _, err := s.Erase(ctx, store.EraseQuery{Tenant: "moves"})
			return err
		},
		"Erase of an event": func() error {
			_, _, err := s.Erase(ctx, store.EraseQuery{Tenant: "moves", EventID: id})
			return err
		},
	}
}

// TestClosedTenant closes a tenant by a replica that owns nothing. Nothing of it may change or be
// claimed, in any replica, until it is settled; the other tenant goes on.
func TestClosedTenant(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	owner, other := open(t, pool, schema), open(t, pool, schema)
	twoTenants(t, owner)
	evs := ofTenant("moves", 4)
	if err := owner.Enqueue(t.Context(), evs...); err != nil {
		t.Fatal(err)
	}
	got, err := owner.Claim(t.Context(), store.ClaimRequest{Max: 3, Lease: time.Hour})
	if err != nil || len(got.Claims) != 3 {
		t.Fatalf("claims: got %d, %v, want 3", len(got.Claims), err)
	}
	finish(t, owner, store.Outcome{Lease: got.Claims[2].Lease, State: store.Delivered,
		Attempt: store.Attempt{Number: 1, Status: 200}})
	down := store.Outcome{Lease: got.Claims[0].Lease, State: store.Pending, RetryIn: time.Hour,
		Attempt: store.Attempt{Number: 1, Status: 500},
		Probe:   store.ProbePolicy{Threshold: 1, First: time.Hour, Max: time.Hour}}
	finish(t, owner, down)

	for _, phase := range []store.TenantPhase{store.TenantArriving, store.TenantLeaving} {
		setState(t, other, store.TenantState{Phase: phase, Peer: 1})
		awaitInFlight(t, other, 1)
		for who, s := range map[string]*pgstore.Store{"its owner": owner, "another replica": other} {
			states, err := s.TenantStates(t.Context())
			if want := (store.TenantState{Phase: phase, Peer: 1}); err != nil || len(states) != 1 ||
				states["moves"] != want {
				t.Errorf("TenantStates in %s: got %+v, %v, want %+v", who, states, err, want)
			}
			for what, change := range changes(t, s, evs[0].ID) {
				if err := change(); !errors.Is(err, store.ErrMoved) {
					t.Errorf("%s in %s, phase %d: got error %v, want store.ErrMoved", what, who, phase, err)
				}
			}
			if err := s.ProbeNow(t.Context(), "moves"); err != nil {
				t.Errorf("ProbeNow in %s: %v", who, err)
			}
			for _, state := range []store.State{store.Pending, store.Delivered} {
				all := store.DeliveryQuery{AnyTenant: true, States: []store.State{state}}
				if r, err := s.Requeue(t.Context(), all); err != nil || r.Requeued > 0 {
					t.Errorf("Requeue of all that are %v in %s: got %+v, %v, want that it passes over the tenant",
						state, who, r, err)
				}
			}
			if err := s.Enqueue(t.Context(), ofTenant("stays", 1)...); err != nil {
				t.Errorf("Enqueue for another tenant in %s: %v", who, err)
			}
			by := claimedOf(t, owner)
			if len(by["moves"]) > 0 || len(by["stays"]) != 1 {
				t.Errorf("claims: got %d of the closed tenant and %d of the other, want 0 and 1",
					len(by["moves"]), len(by["stays"]))
			}
		}
	}
	finish(t, owner, store.Outcome{Lease: got.Claims[1].Lease, State: store.Delivered,
		Attempt: store.Attempt{Number: 1, Status: 200}})
	awaitInFlight(t, other, 0)
	if stats, err := other.Stats(t.Context(), "moves"); err != nil || stats.Pending != 2 {
		t.Errorf("pending: got %d, %v, want 2", stats.Pending, err)
	}

	setState(t, other, store.TenantState{})
	if states, err := owner.TenantStates(t.Context()); err != nil || len(states) > 0 {
		t.Errorf("TenantStates, settled again: got %+v, %v", states, err)
	}
	if err := other.Enqueue(t.Context(), ofTenant("moves", 1)...); err != nil {
		t.Errorf("Enqueue, settled again: %v", err)
	}
	if by := claimedOf(t, owner); len(by["moves"]) != 3 { // the success has closed the breaker
		t.Errorf("claims, settled again: got %d, want 3", len(by["moves"]))
	}
}

// TestClosedTenantIsNotClaimed closes a tenant whose endpoint is well and has something due. It is
// claimed once the tenant is settled.
func TestClosedTenantIsNotClaimed(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	owner, other := open(t, pool, schema), open(t, pool, schema)
	twoTenants(t, owner)
	claimAll(t, owner) // which makes it the owner
	if err := owner.Enqueue(t.Context(), ofTenant("moves", 1)...); err != nil {
		t.Fatal(err)
	}
	for _, phase := range []store.TenantPhase{store.TenantArriving, store.TenantLeaving} {
		setState(t, other, store.TenantState{Phase: phase, Peer: 1})
		if by := claimedOf(t, owner); len(by["moves"]) > 0 {
			t.Errorf("claims of a closed tenant, phase %d: got %d, want none", phase, len(by["moves"]))
		}
	}
	setState(t, other, store.TenantState{})
	if by := claimedOf(t, owner); len(by["moves"]) != 1 {
		t.Errorf("claims, settled again: got %d, want 1", len(by["moves"]))
	}
}

// TestWaitOfAClosedTenant asks both the owner of a subscription and another replica what deliveries
// of a closed tenant wait for.
func TestWaitOfAClosedTenant(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	owner, other := open(t, pool, schema), open(t, pool, schema)
	twoTenants(t, owner)
	if err := owner.Enqueue(t.Context(), ofTenant("moves", 2)...); err != nil {
		t.Fatal(err)
	}
	claims, err := owner.Claim(t.Context(), store.ClaimRequest{Max: 1, Lease: time.Hour})
	if err != nil || len(claims.Claims) != 1 {
		t.Fatalf("claims: got %d, %v, want 1", len(claims.Claims), err)
	}
	if err := owner.Release(t.Context(), claims.Claims[0].Lease); err != nil {
		t.Fatal(err)
	}
	setState(t, owner, leavingTenant)
	for name, s := range map[string]*pgstore.Store{"the owner": owner, "another replica": other} {
		page, err := s.Deliveries(t.Context(), store.DeliveryQuery{Tenant: "moves"})
		if err != nil || len(page.Items) != 2 {
			t.Fatalf("Deliveries of %s: got %d, %v, want 2", name, len(page.Items), err)
		}
		for _, d := range page.Items {
			if d.Wait != store.WaitPaused {
				t.Errorf("Wait, by %s: got %v, want %v", name, d.Wait, store.WaitPaused)
			}
		}
	}
}

// TestDeadOwnerDrains checks that nobody waits for what a dead replica has leased.
func TestDeadOwnerDrains(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	owner, other := open(t, pool, schema), open(t, pool, schema)
	twoTenants(t, owner)
	if err := owner.Enqueue(t.Context(), ofTenant("moves", 1)...); err != nil {
		t.Fatal(err)
	}
	if by := claimedOf(t, owner); len(by["moves"]) != 1 {
		t.Fatalf("claims: got %d, want 1", len(by["moves"]))
	}
	setState(t, other, leavingTenant)
	awaitInFlight(t, other, 1)
	if err := owner.Close(); err != nil {
		t.Fatal(err)
	}
	awaitInFlight(t, other, 0)
	if err := other.Enqueue(t.Context(), ofTenant("stays", 1)...); err != nil {
		t.Fatal(err)
	}
	await(t, "another owns the shares", func() bool { return len(claimedOf(t, other)["stays"]) > 0 })
	awaitInFlight(t, open(t, pool, schema), 0) // the new owner has leased nothing of it either
}
