package pgstore_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
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
