package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/pgstore"
)

// spread is an old store of one finished delivery and two that are pending, one for each of its
// subscriptions. Between these two it lists so many more, which are gone by the time that they
// would be claimed, that the numbers of their events are far apart. It hands out the newer first.
type spread struct {
	*memstore.Store
	late  func() // called before the older is handed out
	older []store.Claim
}

func (s *spread) Deliveries(
	ctx context.Context, q store.DeliveryQuery,
) (page store.Page[store.Delivery], err error) {
	page, err = s.Store.Deliveries(ctx, q)
	if err != nil || q.States[0] != store.Pending {
		return page, err
	}
	newest := page.Items[0]
	items := []store.Delivery{newest}
	for i := range 25_000 {
		gone := newest
		gone.EventID = fmt.Sprintf("gone-%d", i)
		items = append(items, gone)
	}
	page.Items = append(items, page.Items[1:]...)
	return page, nil
}

func (s *spread) Claim(
	ctx context.Context, req store.ClaimRequest,
) (result store.ClaimResult, err error) {
	result, err = s.Store.Claim(ctx, req)
	if len(result.Claims) > 1 { // all at once
		for _, c := range result.Claims {
			if c.SubscriptionID == "older" {
				s.older = append(s.older, c)
			}
		}
		result.Claims = without(result.Claims, s.older)
		return result, err
	}
	s.late()
	result.Claims, s.older = s.older, nil
	return result, err
}

func without(claims, others []store.Claim) (rest []store.Claim) {
	tokens := make(map[uint64]bool)
	for _, c := range others {
		tokens[c.Token] = true
	}
	for _, c := range claims {
		if !tokens[c.Token] {
			rest = append(rest, c)
		}
	}
	return rest
}

// newSpread returns such a store. Without the finished delivery, if that is not wanted.
func newSpread(t *testing.T, finished bool, late func()) *spread {
	t.Helper()
	old := memstore.New()
	subscribe := func(id, eventType string) {
		if _, err := old.CreateSubscription(t.Context(), store.Subscription{
			ID: id, URL: "https://endpoint.example/", Events: []string{eventType}, Status: store.Subscribed,
		}); err != nil {
			t.Fatal(err)
		}
	}
	publish := func(eventType string) {
		ev := someEvents(1)[0]
		ev.Type = eventType
		if err := old.Enqueue(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
	}
	subscribe("older", "a.older")
	if finished {
		publish("a.older")
		deliverOld(t, old)
	}
	publish("a.older")
	subscribe("newer", "a.newer")
	publish("a.newer")
	return &spread{Store: old, late: late}
}

func deliverOld(t *testing.T, old store.Store) {
	t.Helper()
	got, err := old.Claim(t.Context(), store.ClaimRequest{Max: 1, Lease: time.Minute})
	if err != nil || len(got.Claims) != 1 {
		t.Fatalf("claims: got %d, %v, want 1", len(got.Claims), err)
	}
	if _, err := old.Finish(t.Context(), store.Outcome{
		Lease: got.Claims[0].Lease, State: store.Delivered,
		Attempt: store.Attempt{At: time.Now(), Status: 200},
	}); err != nil {
		t.Fatal(err)
	}
}

// TestImportBesidePrune has Prune note until when events were enqueued while an import has stored
// only those with the highest numbers. What comes with lower ones must be found by who searches
// since a time.
func TestImportBesidePrune(t *testing.T) {
	t.Parallel()
	for name, finished := range map[string]bool{"pending": false, "finished": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			var old *spread
			old = newSpread(t, finished, func() {
				pruneAll(t, s)
				if !finished {
					return
				}
				// Stored as pending, the older would bring the times in order for what is finished.
				for _, c := range old.older {
					if _, err := old.Finish(t.Context(),
						store.Outcome{Lease: c.Lease, State: store.Canceled}); err != nil {
						t.Error(err)
					}
				}
				old.older = nil
			})
			if _, err := s.Import(t.Context(), old, nil); err != nil {
				t.Fatal(err)
			}
			want := 2
			if finished {
				want++
			}
			page, err := s.Deliveries(t.Context(),
				store.DeliveryQuery{Since: time.Now().Add(-time.Hour)})
			if err != nil || len(page.Items) != want {
				t.Errorf("deliveries of the last hour: got %+v, %v, want all %d", page.Items, err, want)
			}
		})
	}
}

// closesTenant is an old store that closes a tenant of the new one before the first Claim.
type closesTenant struct {
	store.Store
	close func()
}

func (c *closesTenant) Claim(
	ctx context.Context, req store.ClaimRequest,
) (result store.ClaimResult, err error) {
	c.close()
	return c.Store.Claim(ctx, req)
}

// TestImportOfAClosedTenant checks that an import brings back nothing of a tenant that was moved
// away, or is moved while it goes on, and leaves it in the old store; and everything once the
// tenant is settled.
func TestImportOfAClosedTenant(t *testing.T) {
	t.Parallel()
	const tenant = "moved"
	for name, early := range map[string]bool{"before": true, "meanwhile": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old, s := memstore.New(), newStore(t)
			if _, err := old.CreateSubscription(t.Context(), store.Subscription{
				ID: "s", Tenant: tenant, URL: "https://endpoint.example/", Status: store.Subscribed,
			}); err != nil {
				t.Fatal(err)
			}
			ev := someEvents(1)[0]
			ev.Tenant = tenant
			if err := old.Enqueue(t.Context(), ev); err != nil {
				t.Fatal(err)
			}
			set := func(state store.TenantState) {
				if err := s.SetTenantState(t.Context(), tenant, state); err != nil {
					t.Fatal(err)
				}
			}
			shut := func() { set(store.TenantState{Phase: store.TenantGone, Peer: 1}) }
			from := &closesTenant{old, shut}
			if early {
				shut()
				from.close = func() { t.Error("something is claimed of the old store") }
			}
			if _, err := s.Import(t.Context(), from, nil); !errors.Is(err, store.ErrMoved) {
				t.Fatalf("Import: got %v, want ErrMoved", err)
			}
			if stats, err := old.Stats(t.Context(), ""); err != nil || stats.Pending != 1 {
				t.Errorf("pending in the old store: got %d, %v, want 1", stats.Pending, err)
			}
			checkHas(t, s, tenant, 0)
			set(store.TenantState{})
			if _, err := s.Import(t.Context(), old, nil); err != nil {
				t.Fatal(err)
			}
			checkHas(t, s, tenant, 1)
		})
	}
}

// checkHas checks how many deliveries a tenant has.
func checkHas(t *testing.T, s *pgstore.Store, tenant string, want int) {
	t.Helper()
	page, err := s.Deliveries(t.Context(), store.DeliveryQuery{Tenant: tenant})
	if err != nil || len(page.Items) != want {
		t.Errorf("deliveries of the tenant: got %+v, %v, want %d", page.Items, err, want)
	}
}
