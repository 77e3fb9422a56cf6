package shards_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/shards"
)

// endpoint counts what arrives, by the event.
type endpoint struct {
	mu      sync.Mutex // guards below
	arrived map[string]int
	at      map[string]time.Time // when it did, if anybody wants to know
}

func (e *endpoint) RoundTrip(req *http.Request) (*http.Response, error) {
	timer := time.NewTimer(30 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	id := req.Header.Get("Webhook-Id")
	if e.arrived[id]++; e.at != nil {
		e.at[id] = time.Now()
	}
	return &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(nil)), Request: req}, nil
}

// TestMoveUnderLoad moves a tenant back and forth while a dispatcher delivers and publishers
// publish for it and for another tenant. Each event must arrive once.
func TestMoveUnderLoad(t *testing.T) {
	for name, open := range map[string]func(*testing.T) closing{
		"memory": func(t *testing.T) closing { return inMemory(t, 3) }, "files": movable,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { moveUnderLoad(t, open(t)) })
		})
	}
}

func moveUnderLoad(t *testing.T, s closing) {
	defer s.Close()
	e := &endpoint{arrived: make(map[string]int)}
	d, err := dispatcher.New(s, &dispatcher.Options{Transport: e})
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []string{"moved", "stays"} {
		sub := store.Subscription{Tenant: tenant, URL: "https://endpoint.example/"}
		if _, err := d.Subscribe(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := d.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	var publishing sync.WaitGroup
	var mu sync.Mutex
	accepted, refused := make(map[string]string), 0
	for _, tenant := range []string{"moved", "moved", "stays"} {
		publishing.Go(func() {
			for i := range 300 {
				ev, err := events.New("a.b", map[string]int{"n": i})
				if err != nil {
					t.Error(err)
				}
				ev.Tenant = tenant
				for err = d.Publish(ctx, ev); err != nil; err = d.Publish(ctx, ev) {
					if moving := new(shards.MovingError); !errors.As(err, &moving) || tenant != "moved" {
						t.Errorf("Publish for %s: %v", tenant, err)
						return
					}
					mu.Lock()
					refused++
					mu.Unlock()
					<-time.After(50 * time.Millisecond)
				}
				mu.Lock()
				accepted[ev.ID] = tenant
				mu.Unlock()
				<-time.After(10 * time.Millisecond)
			}
		})
	}
	for i := range 9 {
		<-time.After(200 * time.Millisecond)
		if err := s.Move(ctx, "moved", (i+1)%3); err != nil {
			t.Fatalf("Move %d: %v", i, err)
		}
	}
	publishing.Wait()
	awaitNothingPending(t, s)
	stop()
	running.Wait()
	if len(accepted) != 900 {
		t.Errorf("accepted: got %d, want 900", len(accepted))
	}
	for id, tenant := range accepted {
		if n := e.arrived[id]; n != 1 {
			t.Errorf("event %s of %s arrived %d times", id, tenant, n)
		}
	}
	for i, inner := range s.inner { // 9 moves on from 0
		page, err := inner.Deliveries(t.Context(),
			store.DeliveryQuery{Tenant: "moved", Count: true, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]int{true: 600}[i == 0]; page.Total != want {
			t.Errorf("deliveries of the tenant in store %d: got %d, want %d", i, page.Total, want)
		}
	}
	t.Logf("%d calls were refused while the tenant was closed", refused)
}

func awaitNothingPending(t *testing.T, s store.Store) {
	t.Helper()
	for range 1000 {
		stats, err := s.Stats(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if stats.Pending == 0 {
			return
		}
		<-time.After(100 * time.Millisecond)
	}
	t.Fatal("deliveries are still pending")
}

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

// TestMoveGivesUp has one of the two stores fail from some call on. The tenant must be open in one
// of them when Move has returned, unless the error says that it is not; and a Move back must
// succeed.
func TestMoveGivesUp(t *testing.T) {
	ended := false
	for n := 0; !ended; n++ {
		synctest.Test(t, func(t *testing.T) {
			b := &budget{calls: 1 << 30}
			stores := filled(t, b)
			b.calls, b.of = n, stores[1]
			s := overBreaking(t, stores)
			defer s.Close()
			err := s.Move(t.Context(), "moved", 1)
			ended = err == nil
			b.calls = 1 << 30
			ev := events.Event{ID: "another", Type: "a.b", Tenant: "elsewhere", Time: time.Now(),
				Payload: []byte("{}")}
			if err := s.Enqueue(t.Context(), ev); err != nil {
				t.Errorf("Enqueue of another tenant: %v", err)
			}
			_, updated := s.UpdateSubscription(t.Context(), "5ab5c81b-0000-4000-8000-000000000001",
				func(sub *store.Subscription) error { sub.Name = "changed"; return nil })
			if moving := new(shards.MovingError); updated != nil && !errors.As(updated, &moving) {
				t.Errorf("after %d calls: Move %v, update %v", n, err, updated)
			}
			if updated != nil { // it is closed: it could not be known whether it has moved
				if err := s.Move(t.Context(), "moved", 1); err != nil {
					t.Errorf("after %d calls: Move again: %v", n, err)
				}
			}
			settled(t, s, fmt.Sprintf("after %d calls", n))
		})
	}
}

// TestMoveLimits wants the number of a store that is not there, and a tenant that both stores have,
// to be refused.
func TestMoveLimits(t *testing.T) {
	stores := filled(t, &budget{calls: 1 << 30})
	s := overBreaking(t, stores)
	defer s.Close()
	for _, to := range []int{-1, 2} {
		var invalid *events.InvalidError
		if err := s.Move(t.Context(), "moved", to); !errors.As(err, &invalid) || invalid.Field != "to" {
			t.Errorf("Move to %d: got error %v", to, err)
		}
	}
	_, err := stores[1].CreateSubscription(t.Context(), store.Subscription{
		ID: "5ab5c81b-0000-4000-8000-000000000002", Tenant: "moved", Status: store.Subscribed,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Move(t.Context(), "moved", 1); err == nil {
		t.Error("Move to a store that has the tenant: got no error")
	}
	if err := s.Move(t.Context(), "moved", 0); err != nil {
		t.Errorf("Move to where it is: %v", err)
	}
	settled(t, s, "after moves that were refused")
}

// TestTenantComesBack moves a tenant away and back, before what it has left is pruned, and then
// prunes. Its events must stay known: published again, they change nothing.
func TestTenantComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := movable(t)
		defer s.Close()
		sub := store.Subscription{ID: "5ab5c81b-0000-4000-8000-000000000001", Tenant: "moved",
			URL: "https://endpoint.example/", Status: store.Subscribed}
		if _, err := s.CreateSubscription(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
		var evs []events.Event
		for i := range 100 { // more than are looked for without an index
			evs = append(evs, events.Event{ID: fmt.Sprint("event-", i), Type: "a.b", Tenant: "moved",
				Time: time.Now(), Payload: []byte("{}")})
		}
		if err := s.Enqueue(t.Context(), evs...); err != nil {
			t.Fatal(err)
		}
		for _, to := range []int{1, 2, 1, 2, 0, 1} {
			if err := s.Move(t.Context(), "moved", to); err != nil {
				t.Fatal(err)
			}
		}
		for more := true; more; {
			var err error
			if more, err = s.Prune(t.Context(), store.Retention{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Enqueue(t.Context(), evs...); err != nil {
			t.Fatal(err)
		}
		found, err := s.Deliveries(t.Context(), store.DeliveryQuery{Tenant: "moved", Count: true})
		if err != nil || found.Total != len(evs) {
			t.Errorf("deliveries: got %d, error %v, want %d", found.Total, err, len(evs))
		}
		evs[0].Payload = []byte(`"other"`)
		if err := s.Enqueue(t.Context(), evs[0]); !errors.Is(err, store.ErrConflict) {
			t.Errorf("Enqueue of other content: got error %v, want %v", err, store.ErrConflict)
		}
	})
}
