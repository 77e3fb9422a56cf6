package pgstore_test

import (
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
)

func wantPending(t *testing.T, who string, s *pgstore.Store, limit, want int) {
	t.Helper()
	if got, err := s.CountPending(t.Context(), "", limit); err != nil || got != want {
		t.Errorf("%s: got %d pending of at most %d, %v, want %d", who, got, limit, err, want)
	}
}

// TestPendingInAllReplicas checks that each replica counts the same, whichever has the shares and
// whichever has published.
func TestPendingInAllReplicas(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	owner, other := open(t, pool, schema), open(t, pool, schema)
	for range 3 { // in different shares
		subscribeJudge(t, owner, newJudge(t))
	}
	if _, err := owner.Claim(t.Context(), store.ClaimRequest{Lease: lease}); err != nil {
		t.Fatal(err)
	}
	pending := 0
	for _, s := range []*pgstore.Store{owner, other} {
		if err := s.Enqueue(t.Context(), someEvents(5)...); err != nil {
			t.Fatal(err)
		}
		pending += 3 * 5
		wantPending(t, "the replica that owns all", owner, 100, pending)
		wantPending(t, "a replica that owns nothing", other, 100, pending)
		wantPending(t, "the replica that owns all", owner, 7, 7)
	}
	claims, err := owner.Claim(t.Context(), store.ClaimRequest{Max: 3, Lease: lease})
	if err != nil || len(claims.Claims) != 3 {
		t.Fatalf("claims: got %d, %v, want 3", len(claims.Claims), err)
	}
	for i, state := range []store.State{store.Delivered, store.Pending, store.Dead} {
		finish(t, owner, store.Outcome{
			Lease: claims.Claims[i].Lease, State: state, RetryIn: lease,
			Attempt: store.Attempt{Number: 1, Status: 200},
		})
	}
	pending -= 2
	wantPending(t, "the replica that owns all, when two have ended", owner, 100, pending)
	wantPending(t, "a replica that owns nothing, when two have ended", other, 100, pending)
	if err := owner.Close(); err != nil {
		t.Fatal(err)
	}
	wantPending(t, "a replica, when nobody owns anything", other, 100, pending)
	if _, err := other.Claim(t.Context(), store.ClaimRequest{Lease: lease}); err != nil {
		t.Fatal(err)
	}
	wantPending(t, "the next owner", other, 100, pending)
}

// TestQuotaReadsOneTenant checks that what is counted of a tenant, in a replica that owns nothing,
// touches as many blocks however much other tenants have published that is above the low marks.
func TestQuotaReadsOneTenant(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	touched := make(map[int]int)
	sizes := []int{2_000, 20_000}
	for _, others := range sizes {
		pool, schema := newPool(t)
		s := open(t, pool, schema)
		twoTenants(t, s)
		if err := s.Enqueue(t.Context(), ofTenant("moves", 20)...); err != nil {
			t.Fatal(err)
		}
		for n := others; n > 0; n -= 1000 {
			if err := s.Enqueue(t.Context(), ofTenant("stays", 1000)...); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.CountPending(t.Context(), "moves", 100); err != nil || got != 20 {
			t.Errorf("with %d of another tenant: got %d pending, %v, want 20", others, got, err)
		}
		b := &backlog{pool: pool, schema: schema, store: s}
		p := b.explain(t, s.HotStatements()["quota"], []any{"moves", 100, memory.AllShares()})
		touched[others] = p.Hit + p.Read
	}
	if few, many := touched[sizes[0]], touched[sizes[1]]; many > 2*few+50 {
		t.Errorf("a count touches %d blocks with %d events of another tenant and %d with %d, "+
			"want about as many", few, sizes[0], many, sizes[1])
	}
	t.Logf("blocks touched, by events of another tenant: %v", touched)
}
