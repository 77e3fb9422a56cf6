package shards_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/shards"
)

// breaking is a store that can be moved between, of which calls fail from a moment on. The moment
// is shared by all stores of a test, as is a crash of their host. A call that fails may have been
// done.
type breaking struct {
	*memstore.Store
	budget *budget
}

// budget is how many calls succeed.
type budget struct {
	mu    sync.Mutex
	calls int
	after bool // the call that fails is done, and its answer lost
	of    *breaking
}

var errCrash = errors.New("the host has crashed")

func (b *breaking) call(do func() error) error {
	b.budget.mu.Lock()
	if b.budget.of != nil && b.budget.of != b {
		b.budget.mu.Unlock()
		return do()
	}
	b.budget.calls--
	left := b.budget.calls
	b.budget.mu.Unlock()
	switch {
	case left >= 0:
		return do()
	case left == -1 && b.budget.after:
		_ = do()
	}
	return errCrash
}

func (b *breaking) SetTenantState(ctx context.Context, tenant string, st store.TenantState) error {
	return b.call(func() error { return b.Store.SetTenantState(ctx, tenant, st) })
}

func (b *breaking) ExportTenant(
	ctx context.Context, tenant, cursor string, limit int,
) (part store.TenantPart, err error) {
	err = b.call(func() (err error) {
		part, err = b.Store.ExportTenant(ctx, tenant, cursor, min(limit, 3)) // more steps
		return err
	})
	return part, err
}

func (b *breaking) ImportTenant(ctx context.Context, tenant string, part store.TenantPart) error {
	return b.call(func() error { return b.Store.ImportTenant(ctx, tenant, part) })
}

func (b *breaking) RemoveTenant(ctx context.Context, tenant string) (more bool, err error) {
	err = b.call(func() (err error) {
		more, err = b.Store.RemoveTenant(ctx, tenant)
		return err
	})
	return more, err
}

func (b *breaking) Subscriptions(
	ctx context.Context, q store.SubscriptionQuery,
) (page store.Page[store.Subscription], err error) {
	err = b.call(func() (err error) {
		page, err = b.Store.Subscriptions(ctx, q)
		return err
	})
	return page, err
}

func (b *breaking) Stats(ctx context.Context, id string) (stats store.Stats, err error) {
	err = b.call(func() (err error) {
		stats, err = b.Store.Stats(ctx, id)
		return err
	})
	return stats, err
}

const inTenant = 10 // events of the tenant that is moved

// filled returns two stores, the first with a tenant.
func filled(t *testing.T, b *budget) []*breaking {
	t.Helper()
	stores := []*breaking{{memstore.New(), b}, {memstore.New(), b}}
	_, err := stores[0].CreateSubscription(t.Context(), store.Subscription{
		ID: "5ab5c81b-0000-4000-8000-000000000001", Tenant: "moved",
		URL: "https://endpoint.example/", Status: store.Subscribed,
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range inTenant {
		ev := events.Event{ID: fmt.Sprint("event-", i), Type: "a.b", Tenant: "moved", Time: time.Now(),
			Payload: []byte("{}")}
		if err := stores[0].Enqueue(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
	}
	return stores
}

func overBreaking(t *testing.T, stores []*breaking) *shards.Store {
	t.Helper()
	s, err := shards.New(func(string) int { return 0 }, stores[0], stores[1])
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// settled claims all that there is, and checks that it is all events of the tenant, in order, once.
func settled(t *testing.T, s *shards.Store, what string) {
	t.Helper()
	var ids []string
	for range 3 {
		got, err := s.Claim(t.Context(), store.ClaimRequest{Max: 100, Lease: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		for i := range got.Claims {
			ids = append(ids, got.Claims[i].EventID)
		}
	}
	if len(ids) != inTenant {
		t.Fatalf("%s: claimed %q, want each of %d events once", what, ids, inTenant)
	}
	for i, id := range ids {
		if id != fmt.Sprint("event-", i) {
			t.Fatalf("%s: claimed %q, want them in order", what, ids)
		}
	}
}

// TestMoveResumesAfterACrash has the host crash at each call that a Move makes, before and after
// the call is done. A new Store must not send anything twice; moving again ends what was begun.
func TestMoveResumesAfterACrash(t *testing.T) {
	for _, after := range []bool{false, true} {
		ended := false
		for n := 0; !ended; n++ {
			synctest.Test(t, func(t *testing.T) {
				b := &budget{calls: n, after: after}
				stores := filled(t, &budget{calls: 1 << 30})
				for _, st := range stores {
					st.budget = b
				}
				s := overBreaking(t, stores)
				err := s.Move(t.Context(), "moved", 1)
				s.Close()
				ended = err == nil
				if err != nil && !errors.Is(err, errCrash) {
					t.Fatalf("Move with %d calls: %v", n, err)
				}
				what := fmt.Sprintf("crash after %d calls (the last done: %t)", n, after)
				b.calls = 1 << 30

				s = overBreaking(t, stores) // the host starts again
				defer s.Close()
				ev := events.Event{ID: "event-0", Type: "a.b", Tenant: "moved", Time: time.Now(),
					Payload: []byte("{}")}
				err = s.Enqueue(t.Context(), ev)
				if moving := new(shards.MovingError); errors.As(err, &moving) {
					got, err := s.Claim(t.Context(), store.ClaimRequest{Max: 100, Lease: time.Hour})
					if err != nil || len(got.Claims) > 0 {
						t.Fatalf("%s: claimed %d of a closed tenant, error %v", what, len(got.Claims), err)
					}
				} else if err != nil && !errors.Is(err, store.ErrConflict) {
					t.Fatalf("%s: Enqueue: %v", what, err)
				}
				if err := s.Move(t.Context(), "moved", 1); err != nil {
					t.Fatalf("%s: Move again: %v", what, err)
				}
				if states, _ := stores[0].TenantStates(t.Context()); states["moved"].Phase != store.TenantGone {
					t.Errorf("%s: the first store says %+v of the tenant, want that it is gone", what, states)
				}
				settled(t, s, what)
				left, err := stores[0].Deliveries(t.Context(), store.DeliveryQuery{Tenant: "moved"})
				if err != nil || len(left.Items) > 0 {
					t.Errorf("%s: %d deliveries are left in the first store, error %v", what, len(left.Items), err)
				}
			})
			if n > 1000 {
				t.Fatal("Move never ends")
			}
		}
	}
}

// TestMoveGivesUp has one of the two stores fail from some call on, before or after the call is
// done. The tenant must be open in one of them when Move has returned, unless the error says that
// it is not; and a Move back must succeed.
func TestMoveGivesUp(t *testing.T) {
	for _, after := range []bool{false, true} {
		ended := false
		for n := 0; !ended; n++ {
			synctest.Test(t, func(t *testing.T) { ended = moveGivesUp(t, n, after) })
		}
	}
}

// moveGivesUp has a store fail after so many calls. It reports whether the Move has succeeded.
func moveGivesUp(t *testing.T, n int, after bool) bool {
	b := &budget{calls: 1 << 30}
	stores := filled(t, b)
	b.calls, b.after, b.of = n, after, stores[1]
	s := overBreaking(t, stores)
	defer s.Close()
	what := fmt.Sprintf("after %d calls (the last done: %t)", n, after)
	err := s.Move(t.Context(), "moved", 1)
	b.calls = 1 << 30
	ev := events.Event{ID: "another", Type: "a.b", Tenant: "elsewhere", Time: time.Now(),
		Payload: []byte("{}")}
	if err := s.Enqueue(t.Context(), ev); err != nil {
		t.Errorf("%s: Enqueue of another tenant: %v", what, err)
	}
	_, updated := s.UpdateSubscription(t.Context(), "5ab5c81b-0000-4000-8000-000000000001",
		func(sub *store.Subscription) error { sub.Name = "changed"; return nil })
	if moving := new(shards.MovingError); updated != nil && !errors.As(updated, &moving) {
		t.Errorf("%s: Move %v, update %v", what, err, updated)
	}
	if updated != nil { // it is closed: it could not be known whether it has moved
		if err := s.Move(t.Context(), "moved", 1); err != nil {
			t.Errorf("%s: Move again: %v", what, err)
		}
	}
	settled(t, s, what)
	return err == nil
}
