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
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/shards"
)

// inhabited is a store with a tenant of which there is something of every kind.
type inhabited struct {
	*testing.T
	store.Store
	n int
}

const inhabitant = "0" // the tenant, whose store is the first

// publish stores an event of a type with a key.
func (h *inhabited) publish(eventType, key string) events.Event {
	h.Helper()
	h.n++
	ev, err := events.New(eventType, map[string]int{"n": h.n})
	if err != nil {
		h.Fatal(err)
	}
	ev.Tenant, ev.Key = inhabitant, key
	if h.n%2 == 0 {
		ev.Tags = []string{eventType, "a:1"}
	}
	if err := h.Enqueue(h.Context(), ev); err != nil {
		h.Fatal(err)
	}
	return ev
}

func (h *inhabited) subscribe(id, eventType string) {
	h.Helper()
	_, err := h.CreateSubscription(h.Context(), store.Subscription{
		ID: id, Tenant: inhabitant, Name: "the one of " + eventType, Events: []string{eventType},
		URL: "https://endpoint.example/" + id, Headers: map[string]string{"X-A": "b"},
		Secrets: []signing.Secret{"a secret", "another"}, Status: store.Subscribed,
		Description: "for " + id, Metadata: map[string]string{"of": eventType}, Filter: "{}",
		Fields: []string{"a.b"}, Rate: 0.1, Timeout: time.Second,
		VerifiedAt: time.Date(2031, 1, 2, 3, 4, 5, 6000, time.UTC), NeedsProof: true,
		AllowedRate: 0.5,
	})
	if err != nil {
		h.Fatal(err)
	}
}

// finish claims what there is, one at a time, with each of some outcomes.
func (h *inhabited) finish(outcomes ...store.Outcome) {
	h.Helper()
	for _, o := range outcomes {
		got, err := h.Claim(h.Context(), store.ClaimRequest{Max: 1, Lease: time.Hour})
		if err != nil || len(got.Claims) != 1 {
			h.Fatalf("got %d claims, %v, want 1", len(got.Claims), err)
		}
		o.Lease = got.Claims[0].Lease
		o.Attempt.Number, o.Attempt.At = got.Claims[0].Attempt, time.Now().Truncate(time.Microsecond)
		if results, err := h.Finish(h.Context(), o); err != nil || results[0].Ignored {
			h.Fatalf("Finish: got %+v, %v", results, err)
		}
	}
}

// settleIn gives the store a tenant.
func settleIn(t *testing.T, s store.Store) *inhabited {
	t.Helper()
	h := &inhabited{T: t, Store: s}
	failed := store.Outcome{State: store.Pending, RetryIn: time.Hour, Attempt: store.Attempt{
		Status: 500, Error: "it failed", Duration: time.Second, Response: []byte("no")}}
	delivered := store.Outcome{State: store.Delivered, Attempt: store.Attempt{
		Status: 200, Response: []byte("yes")}}
	dead, overridden := failed, failed
	dead.State = store.Dead
	canceled := store.Outcome{State: store.Canceled, Attempt: store.Attempt{Error: "filtered"}}
	overridden.BodyState, overridden.BodyOverride = store.BodyOverridden, []byte("its own")

	h.subscribe("many", "kind.many")
	for range 8 {
		h.publish("kind.many", "")
	}
	h.finish(delivered, dead, failed, canceled, overridden)
	again := h.publish("kind.many", "")
	h.finish(delivered, delivered, delivered, delivered)
	h.requeue(again)
	erased := h.publish("kind.many", "")
	if _, _, err := h.Erase(h.Context(),
		store.EraseQuery{Tenant: inhabitant, EventID: erased.ID}); err != nil {
		h.Fatal(err)
	}

	h.publish("kind.many", "")

	h.subscribe("keys", "kind.keys")
	for _, key := range []string{"a", "a", "b", "a", ""} {
		h.publish("kind.keys", key)
	}

	h.subscribe("down", "kind.down")
	for range 3 {
		h.publish("kind.down", "")
	}
	down := failed
	down.Probe = store.ProbePolicy{Threshold: 1, First: time.Hour, Max: time.Hour}
	h.finishOf("down", down)

	h.subscribe("left", "kind.left")
	h.publish("kind.left", "")
	if _, err := h.UpdateSubscription(h.Context(), "left", func(sub *store.Subscription) error {
		sub.Status, sub.DisabledReason = store.Unsubscribed, "it was bad"
		return nil
	}); err != nil {
		h.Fatal(err)
	}
	h.subscribe("idle", "kind.idle")
	return h
}

// finishOf claims all, gives the first of a subscription an outcome, and the others back.
func (h *inhabited) finishOf(id string, o store.Outcome) {
	h.Helper()
	got, err := h.Claim(h.Context(), store.ClaimRequest{Max: 100, Lease: time.Hour})
	if err != nil {
		h.Fatal(err)
	}
	var others []store.Lease
	for _, cl := range got.Claims {
		if cl.SubscriptionID != id || o.Lease.Token != 0 {
			others = append(others, cl.Lease)
			continue
		}
		o.Lease, o.Attempt.At = cl.Lease, time.Now().Truncate(time.Microsecond)
		if results, err := h.Finish(h.Context(), o); err != nil || results[0].Ignored {
			h.Fatalf("Finish: got %+v, %v", results, err)
		}
	}
	if err := h.Release(h.Context(), others...); err != nil {
		h.Fatal(err)
	}
}

func (h *inhabited) requeue(ev events.Event) {
	h.Helper()
	result, err := h.Requeue(h.Context(),
		store.DeliveryQuery{Tenant: inhabitant, EventID: ev.ID})
	if err != nil || result.Requeued != 1 {
		h.Fatalf("Requeue: got %+v, %v", result, err)
	}
}

// describe returns all that can be seen of the tenant.
func (h *inhabited) describe(s store.Store) (lines []string) {
	h.Helper()
	ctx := h.Context()
	note := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	subs, err := s.Subscriptions(ctx, store.SubscriptionQuery{Tenant: inhabitant})
	if err != nil {
		h.Fatal(err)
	}
	for i := range subs.Items {
		sub := &subs.Items[i]
		sub.CreatedAt, sub.UpdatedAt = inMicro(sub.CreatedAt), inMicro(sub.UpdatedAt)
		sub.SubscribedAt = inMicro(sub.SubscribedAt)
		stats, err := s.Stats(ctx, sub.ID)
		if err != nil {
			h.Fatal(err)
		}
		health := stats.Health
		health.FailingFor = (health.FailingFor + time.Microsecond - 1).Truncate(time.Microsecond)
		health.LastFailureAt = inMicro(health.LastFailureAt)
		health.NextProbeAt, health.HeldUntil = inMicro(health.NextProbeAt), inMicro(health.HeldUntil)
		note("%+v with %q, health %+v, %d pending", *sub, sub.Secrets, health, stats.Pending)
	}
	ds, err := s.Deliveries(ctx, store.DeliveryQuery{Tenant: inhabitant, Limit: 1000})
	if err != nil {
		h.Fatal(err)
	}
	for i := range ds.Items {
		d := &ds.Items[i]
		forRetry := d.WaitUntil.Equal(d.DueAt)
		if d.DueAt.After(d.CreatedAt) { // and not before its time
			d.DueAt = d.DueAt.Add(time.Microsecond - 1)
		} else if d.Attempts == 0 { // memory has it by some nanoseconds earlier
			d.DueAt = d.CreatedAt
		}
		d.CreatedAt, d.DueAt, d.FinishedAt = inMicro(d.CreatedAt), inMicro(d.DueAt), inMicro(d.FinishedAt)
		if d.WaitUntil = inMicro(d.WaitUntil); forRetry {
			d.WaitUntil = d.DueAt
		}
		attempts, err := s.Attempts(ctx, d.SubscriptionID, d.EventID)
		if err != nil {
			h.Fatal(err)
		}
		for i := range attempts {
			attempts[i].At = attempts[i].At.UTC().Round(0)
		}
		ev, err := s.Event(ctx, d.Tenant, d.EventID)
		if err != nil {
			h.Fatal(err)
		}
		note("%+v, attempts %+v, tags %q, from %v to %v", *d, attempts, ev.Tags, ev.NotBefore,
			ev.ExpiresAt)
	}
	return lines
}

// inMicro returns a time as every store keeps it.
func inMicro(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// claimed claims and delivers everything that is due, and returns what was sent: of keys in its
// order. Otherwise retries and first attempts take turns, and either may begin.
func (h *inhabited) claimed(s store.Store) (lines []string) {
	h.Helper()
	for {
		got, err := s.Claim(h.Context(), store.ClaimRequest{Max: 100, Lease: time.Hour})
		if err != nil {
			h.Fatal(err)
		}
		if len(got.Claims) == 0 {
			slices.SortStableFunc(lines, func(a, b string) int {
				return strings.Compare(order(a), order(b))
			})
			return lines
		}
		for _, cl := range got.Claims {
			lines = append(lines, fmt.Sprintf("%s: %s, key %q, attempt %d, retry %d, %s, own %s, trace %q",
				cl.SubscriptionID, cl.EventID, cl.Key, cl.Attempt, cl.Retry, cl.Body, cl.BodyOverride,
				cl.Trace))
			if _, err := s.Finish(h.Context(), store.Outcome{Lease: cl.Lease, State: store.Delivered,
				Attempt: store.Attempt{Number: cl.Attempt, Status: 200}}); err != nil {
				h.Fatal(err)
			}
		}
	}
}

// order returns what a line is sorted by.
func order(line string) string {
	if strings.HasPrefix(line, "keys:") {
		return "keys:"
	}
	return line
}

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
