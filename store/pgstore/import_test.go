package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// interrupted is a store whose Finish fails after some calls, half of the time having done what it was to.
type interrupted struct {
	store.Store
	left int
}

var errInterrupted = errors.New("interrupted")

func (s *interrupted) Finish(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
	if s.left--; s.left >= 0 {
		return s.Store.Finish(ctx, outcomes...)
	}
	if len(outcomes)%2 == 0 {
		if _, err := s.Store.Finish(ctx, outcomes...); err != nil {
			return nil, err
		}
	}
	return nil, errInterrupted
}

// old is a bbolt file with something of everything in it.
type old struct {
	*boltstore.Store
	subs    []store.Subscription
	pending map[string][]string // events, in order, by subscription
	retried store.Claim         // attempted twice, due in an hour
	health  store.Health        // of its subscription, which is held
}

func newOld(t *testing.T) *old {
	t.Helper()
	ctx := t.Context()
	b, err := boltstore.Open(filepath.Join(t.TempDir(), "old.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	o := &old{Store: b, pending: make(map[string][]string)}
	for i, patterns := range [][]string{nil, {"a.*"}, {"b.c"}, {"a.b"}} {
		sub, err := b.CreateSubscription(ctx, store.Subscription{
			ID: fmt.Sprintf("5ab5c81b-0000-4000-8000-%012d", i), URL: "https://endpoint.example/", Events: patterns, Status: store.Subscribed,
			Name: "name", Headers: map[string]string{"X-One": "1"}, Secrets: []signing.Secret{"one", "two"},
		})
		if err != nil {
			t.Fatal(err)
		}
		o.subs = append(o.subs, sub)
	}
	// The first event is retried by the first subscription, and delivered to the second.
	o.publish(t, "a.c", "")
	claims, err := b.Claim(ctx, store.ClaimRequest{Max: 2, Lease: time.Hour})
	if err != nil || len(claims.Claims) != 2 {
		t.Fatalf("claims: got %d, %v, want 2", len(claims.Claims), err)
	}
	for _, c := range claims.Claims {
		if c.SubscriptionID == o.subs[0].ID {
			o.retried = c
			o.finish(t, c, store.Outcome{State: store.Pending})
		} else {
			o.finish(t, c, store.Outcome{State: store.Delivered})
			o.pending[c.SubscriptionID] = nil
		}
	}
	claims, err = b.Claim(ctx, store.ClaimRequest{Max: 1, Lease: time.Hour})
	if err != nil || len(claims.Claims) != 1 {
		t.Fatalf("claims of the retry: got %d, %v, want 1", len(claims.Claims), err)
	}
	o.finish(t, claims.Claims[0], store.Outcome{State: store.Pending, RetryIn: time.Hour, HoldFor: 2 * time.Second})
	for i := range 1200 {
		o.publish(t, []string{"a.b", "b.c", "a.c"}[i%3], []string{"", "", "k", "l"}[i%4])
	}
	if o.subs[3], err = b.UpdateSubscription(ctx, o.subs[3].ID, func(s *store.Subscription) error {
		s.Status = store.Unsubscribed
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	o.pending[o.subs[3].ID] = nil
	stats, err := b.Stats(ctx, o.subs[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	o.health = stats.Health
	return o
}

func (o *old) finish(t *testing.T, c store.Claim, out store.Outcome) {
	t.Helper()
	out.Lease, out.Attempt = c.Lease, store.Attempt{At: time.Now(), Status: 500, Error: "http_status", Response: []byte("no")}
	if _, err := o.Finish(t.Context(), out); err != nil {
		t.Fatal(err)
	}
}

func (o *old) publish(t *testing.T, eventType, key string) {
	t.Helper()
	ev := someEvents(1)[0]
	ev.Type, ev.Key = eventType, key
	if err := o.Enqueue(t.Context(), ev); err != nil {
		t.Fatal(err)
	}
	for _, sub := range o.subs {
		if len(sub.Events) == 0 || slices.ContainsFunc(sub.Events, func(p string) bool { return events.Match(p, eventType) }) {
			o.pending[sub.ID] = append(o.pending[sub.ID], ev.ID)
		}
	}
}

func TestImport(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	o := newOld(t)
	want := make(map[string]int)
	for id, evs := range o.pending {
		want[id] = len(evs)
	}
	total := 0
	for left := 0; ; left++ {
		done, err := s.Import(t.Context(), &interrupted{o, left})
		total += done.Deliveries
		if err == nil {
			break
		}
		if !errors.Is(err, errInterrupted) {
			t.Fatal(err)
		}
	}
	if sum := want[o.subs[0].ID] + want[o.subs[1].ID] + want[o.subs[2].ID]; total != sum {
		t.Errorf("moved: got %d deliveries, want %d", total, sum)
	}
	if again, err := s.Import(t.Context(), o); err != nil || again.Deliveries != 0 {
		t.Errorf("Import once more: got %+v, %v, want it to move nothing", again, err)
	}
	for _, sub := range o.subs {
		got, err := s.Subscription(t.Context(), sub.ID)
		if err != nil || got.Name != sub.Name || got.Status != sub.Status || !slices.Equal(got.Secrets, sub.Secrets) ||
			got.SubscribedAt.UnixMicro() != sub.SubscribedAt.UnixMicro() {
			t.Errorf("subscription: got %+v, %v, want %+v", got, err, sub)
		}
	}
	checkRetried(t, s, o)
	deliverAll(t, s, o)
	if stats, err := o.Stats(t.Context(), ""); err != nil || stats.Pending != 0 {
		t.Errorf("left in the old store: got %d pending, %v, want none", stats.Pending, err)
	}
}

// checkRetried checks that the delivery that waits for a retry still does, with its attempts, and that the subscription is as
// unwell as it was.
func checkRetried(t *testing.T, s store.Store, o *old) {
	t.Helper()
	id, eventID := o.retried.SubscriptionID, o.retried.EventID
	attempts, err := s.Attempts(t.Context(), id, eventID)
	if err != nil || len(attempts) != 2 || attempts[1].Status != 500 || string(attempts[1].Response) != "no" {
		t.Errorf("attempts: got %+v, %v, want two", attempts, err)
	}
	page, err := s.Deliveries(t.Context(), store.DeliveryQuery{SubscriptionID: id, EventID: eventID})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("the retried delivery: got %+v, %v", page.Items, err)
	}
	if in := time.Until(page.Items[0].DueAt); in < 50*time.Minute || in > time.Hour {
		t.Errorf("the retry: is due in %v, want an hour less the time the test took", in)
	}
	stats, err := s.Stats(t.Context(), id)
	if err != nil || stats.Health.Failures != o.health.Failures || stats.Health.Holds != o.health.Holds ||
		stats.Health.HeldUntil.UnixMicro() != o.health.HeldUntil.UnixMicro() {
		t.Errorf("health: got %+v, %v, want %+v", stats.Health, err, o.health)
	}
}

// deliverAll claims and delivers all that is due, and checks that it is what was pending, in order.
func deliverAll(t *testing.T, s store.Store, o *old) {
	t.Helper()
	got := make(map[string][]string)
	timer := time.NewTimer(time.Until(o.health.HeldUntil) + 200*time.Millisecond)
	defer timer.Stop()
	<-timer.C
	for {
		claims, err := s.Claim(t.Context(), store.ClaimRequest{Max: 100, Lease: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if len(claims.Claims) == 0 {
			break
		}
		outcomes := make([]store.Outcome, len(claims.Claims))
		for i, c := range claims.Claims {
			got[c.SubscriptionID] = append(got[c.SubscriptionID], c.EventID)
			outcomes[i] = store.Outcome{Lease: c.Lease, State: store.Delivered}
		}
		if _, err := s.Finish(t.Context(), outcomes...); err != nil {
			t.Fatal(err)
		}
	}
	o.pending[o.subs[0].ID] = o.pending[o.subs[0].ID][1:] // the one that is due in an hour
	for _, sub := range o.subs {
		want, have := o.pending[sub.ID], got[sub.ID]
		slices.Sort(want) // order within a key holds, so that those wait for others; the IDs are in the order of publishing
		slices.Sort(have)
		if !slices.Equal(have, want) {
			t.Errorf("delivered to %s: got %d events, want the %d that were pending", sub.ID, len(have), len(want))
		}
	}
}
