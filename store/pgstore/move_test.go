package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/shards"
)

// TestMoveKeepsEverything moves a tenant between stores, of which one at least is here. All that
// can be seen of it must be the same, and what is due must be claimed as it would have been.
func TestMoveKeepsEverything(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	needServer(t)
	here := func(t *testing.T) store.Store { return newStore(t) }
	memory := func(*testing.T) store.Store { return memstore.New() }
	file := func(t *testing.T) store.Store {
		s, err := boltstore.Open(filepath.Join(t.TempDir(), "hooks.db"), nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	for name, tc := range map[string]struct{ from, to func(*testing.T) store.Store }{
		"between databases": {here, here}, "from memory": {memory, here}, "to memory": {here, memory},
		"from a file": {file, here}, "to a file": {here, file},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := tc.from(t), tc.to(t)
			h := settleIn(t, from)
			twin := memstore.New() // what is claimed of it is what must be claimed
			copyTenant(t, from.(store.TenantMover), twin)
			before := h.describe(from)
			s, err := shards.New(number, from, to)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := s.Move(t.Context(), inhabitant, 1); err != nil {
				t.Fatal(err)
			}
			same(t, "after the move", h.describe(s), before)
			same(t, "due at once", dueAtOnce(t, to), dueAtOnce(t, twin))
			same(t, "claims", h.claimed(to), h.claimed(twin))
			if left := h.describe(from); len(left) > 0 {
				t.Errorf("left where it was: %q", left)
			}
			// And back, before and after what it has left there is pruned.
			before = h.describe(to)
			for range 3 {
				for _, to := range []int{0, 1} {
					if err := s.Move(t.Context(), inhabitant, to); err != nil {
						t.Fatal(err)
					}
				}
				same(t, "after it has come back", h.describe(s), before)
				pruneAll(t, s)
			}
			same(t, "at the end", h.describe(to), before)
		})
	}
}

// same compares lines.
func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("%s: line %d of %d: got\n%s\nwant\n%s", what, i, len(want), g, w)
		}
	}
}

// copyTenant copies the tenant as Move does.
func copyTenant(t *testing.T, from store.TenantMover, to store.TenantMover) {
	t.Helper()
	for cursor := ""; ; {
		part, err := from.ExportTenant(t.Context(), inhabitant, cursor, 4)
		if err == nil {
			err = to.ImportTenant(t.Context(), inhabitant, part)
		}
		if err != nil {
			t.Fatal(err)
		}
		if cursor = part.Next; cursor == "" {
			return
		}
	}
}

// dueAtOnce returns which deliveries are due at once, and why.
func dueAtOnce(t *testing.T, s store.Store) (lines []string) {
	t.Helper()
	for cursor := ""; ; {
		part, err := s.(store.TenantMover).ExportTenant(t.Context(), inhabitant, cursor, 100)
		if err != nil {
			t.Fatal(err)
		}
		for i := range part.Events {
			ev := &part.Events[i]
			for j := range ev.Deliveries {
				if d := &ev.Deliveries[j]; d.Asked || d.Parked {
					lines = append(lines, fmt.Sprint(ev.Event.ID, " to ", d.SubscriptionID,
						": asked ", d.Asked, ", parked ", d.Parked))
				}
			}
		}
		if cursor = part.Next; cursor == "" {
			slices.Sort(lines)
			if len(lines) == 0 {
				t.Error("nothing is due at once, so this shows nothing")
			}
			return lines
		}
	}
}

func pruneAll(t *testing.T, s store.Store) {
	t.Helper()
	for more := true; more; {
		var err error
		if more, err = s.Prune(t.Context(), store.Retention{}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestImportTenantKeepsIDs wants the ID of another tenant's subscription to be refused, with
// nothing of the part stored.
func TestImportTenantKeepsIDs(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	taken := store.Subscription{ID: "taken", Tenant: "another", URL: "https://endpoint.example/",
		Status: store.Subscribed}
	if _, err := s.CreateSubscription(t.Context(), taken); err != nil {
		t.Fatal(err)
	}
	free := taken
	free.ID, taken.Tenant, free.Tenant = "free", inhabitant, inhabitant
	err := s.ImportTenant(t.Context(), inhabitant, store.TenantPart{
		Subscriptions: []store.TenantSubscription{{Subscription: free}, {Subscription: taken}},
	})
	if !errors.Is(err, store.ErrConflict) || !strings.Contains(err.Error(), "taken") {
		t.Errorf("ImportTenant: got error %v, want store.ErrConflict for the one that is taken", err)
	}
	if _, err := s.Subscription(t.Context(), "free"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the other one: got error %v, want store.ErrNotFound", err)
	}
}

// TestMoveBetweenServers has two replicas over two servers deliver and publish, while one of them
// moves a tenant back and forth. Each event must arrive, and none twice: what the other replica has
// claimed must end before the tenant is copied.
func TestMoveBetweenServers(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	first, second := newServer(t, nil), newServer(t, nil)
	h := startSharded(t, first.URL(), second.URL())
	_, other := runSharded(t, first.URL(), second.URL())
	ctx, stop := context.WithCancel(t.Context())
	var publishing sync.WaitGroup
	var mu sync.Mutex
	refused := 0
	for _, d := range []*dispatcher.Dispatcher{h.d, other} {
		for _, tenant := range []string{"0", "1"} {
			publishing.Go(func() {
				for ctx.Err() == nil {
					ev := someEvents(1)[0]
					ev.Tenant = tenant
					err := d.Publish(t.Context(), ev)
					for errors.Is(err, store.ErrMoved) {
						mu.Lock()
						refused++
						mu.Unlock()
						err = d.Publish(t.Context(), ev)
					}
					if err != nil {
						t.Errorf("Publish for tenant %s: %v", tenant, err)
						return
					}
					h.judge.ack(ev.ID)
				}
			})
		}
	}
	moves := rounds(4, 20)
	for i := range moves {
		// Some of it in either replica, and in either server.
		n := h.judge.tally().arrived
		h.judge.await(t, "deliveries between two moves", progress, func(now tally) bool {
			return now.arrived > n+50
		})
		if err := h.store.Move(t.Context(), "0", (i+1)%2); err != nil {
			t.Fatalf("Move %d: %v", i, err)
		}
	}
	stop()
	publishing.Wait()
	n := h.judge.await(t, "everything acknowledged arrives", progress, delivered)
	if n.repeated > 0 {
		t.Errorf("%d of %d arrived more than once: attempts %v", n.repeated, n.acked, h.judge.repeats())
	}
	t.Logf("%d moves, %d events, %d calls were refused while the tenant was closed", moves, n.acked,
		refused)
}
