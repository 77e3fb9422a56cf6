package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// interrupted is a store whose Finish and UpdateSubscription fail after some calls, half of the
// time having done what they were to.
type interrupted struct {
	*old
	left     int
	late     bool // UpdateSubscription fails when it has done it
	attempts int  // how often Attempts was called
}

func (s *interrupted) Attempts(ctx context.Context, sub, event string) ([]store.Attempt, error) {
	s.attempts++
	return s.old.Attempts(ctx, sub, event)
}

func (s *interrupted) UpdateSubscription(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (sub store.Subscription, err error) {
	s.left--
	if s.left >= 0 || s.late {
		sub, err = s.old.UpdateSubscription(ctx, id, change)
	}
	if s.left < 0 {
		err = errors.Join(err, errInterrupted)
	}
	return sub, err
}

var errInterrupted = errors.New("interrupted")

func (s *interrupted) Finish(ctx context.Context, outcomes ...store.Outcome) ([]store.Result,
	error) {
	if s.left--; s.left >= 0 {
		return s.old.Finish(ctx, outcomes...)
	}
	if len(outcomes)%2 == 0 {
		if _, err := s.old.Finish(ctx, outcomes...); err != nil {
			return nil, err
		}
	}
	return nil, errInterrupted
}

// old is a bbolt file with something of everything in it.
type old struct {
	*boltstore.Store
	subs     []store.Subscription // the third is paused, with something pending
	pending  map[string][]string  // events, in order, by subscription
	finished events.Event         // delivered to the first subscription
	retried  store.Claim          // attempted twice, due in an hour
	health   store.Health         // of its subscription, which is held
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
			ID: fmt.Sprintf("5ab5c81b-0000-4000-8000-%012d", i), URL: "https://endpoint.example/",
			Events: patterns, Status: store.Subscribed,
			Name: "name", Headers: map[string]string{"X-One": "1"}, Secrets: []signing.Secret{"one", "two"},
			Description: "d", Metadata: map[string]string{"a": "b"}, Rate: 0.1,
		})
		if err != nil {
			t.Fatal(err)
		}
		o.subs = append(o.subs, sub)
	}
	o.finished = o.publish(t, "x.y", "")
	only, err := b.Claim(ctx, store.ClaimRequest{Max: 2, Lease: time.Hour})
	if err != nil || len(only.Claims) != 1 {
		t.Fatalf("claims of the first event: got %d, %v, want 1", len(only.Claims), err)
	}
	o.finish(t, only.Claims[0], store.Outcome{State: store.Delivered})
	o.pending[o.subs[0].ID] = nil
	// The next is retried by the first subscription, and delivered to the second.
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
	o.finish(t, claims.Claims[0], store.Outcome{
		State: store.Pending, RetryIn: time.Hour, Effect: store.EffectThrottled,
		ThrottleFor: 2 * time.Second,
		Probe:       store.ProbePolicy{Threshold: 1, First: 2 * time.Second, Max: 2 * time.Second},
	})
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
	if o.subs[2], err = b.UpdateSubscription(ctx, o.subs[2].ID, func(s *store.Subscription) error {
		s.Status = store.Paused
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	stats, err := b.Stats(ctx, o.subs[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	o.health = stats.Health
	return o
}

func (o *old) finish(t *testing.T, c store.Claim, out store.Outcome) {
	t.Helper()
	out.Lease, out.Attempt = c.Lease,
		store.Attempt{At: time.Now(), Status: 500, Error: "http_status", Response: []byte("no")}
	if _, err := o.Finish(t.Context(), out); err != nil {
		t.Fatal(err)
	}
}

func (o *old) publish(t *testing.T, eventType, key string) events.Event {
	t.Helper()
	ev := someEvents(1)[0]
	ev.Type, ev.Key, ev.Tags = eventType, key, []string{"of:" + eventType, "old"}
	if err := o.Enqueue(t.Context(), ev); err != nil {
		t.Fatal(err)
	}
	for _, sub := range o.subs {
		if events.Wants(sub.Events, eventType) {
			o.pending[sub.ID] = append(o.pending[sub.ID], ev.ID)
		}
	}
	return ev
}
