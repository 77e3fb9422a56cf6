package sealed_test

import (
	"context"
	"errors"
	"testing"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/sealed"
)

// reseal checks what a Reseal of s says it did.
func reseal(t *testing.T, s *sealed.Store, want int) {
	t.Helper()
	if n, err := s.Reseal(t.Context()); n != want || err != nil {
		t.Errorf("Reseal: got %d, %v, want %d", n, err, want)
	}
}

// TestTurnedOn turns sealing on over more plaintext than one page.
func TestTurnedOn(t *testing.T) {
	const n = 250
	inner := memstore.New()
	for i := range n {
		sub := create(t, inner, i)
		if i%2 == 0 {
			continue
		}
		if err := inner.DeleteSubscription(t.Context(), sub.ID); err != nil {
			t.Fatal(err)
		}
		sub.Tenant = "another"
		if _, err := inner.CreateSubscription(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
	}
	bare := store.Subscription{ID: id(n), URL: "https://endpoint.example/", Status: store.Subscribed}
	if _, err := inner.CreateSubscription(t.Context(), bare); err != nil {
		t.Fatal(err)
	}
	s := seal(t, inner, newKey("k"))
	wantPlain(t, "before Reseal", get(t, s, 1))
	publish(t, s, 1)
	wantPlain(t, "claim before Reseal", *claim(t, s, 1)[0].Subscription)
	put(t, s, 0, secret, headerValue) // is sealed as it is written
	reseal(t, s, n-1)
	for i := range n {
		if kept := get(t, inner, i); kept.SealedWith != "k" || kept.Headers[headerName] == headerValue ||
			kept.Secrets[0] == secret {
			t.Fatalf("subscription %d is not sealed", i)
		}
		wantPlain(t, "after Reseal", get(t, s, i))
	}
	reseal(t, s, 0)
}

func TestKeyRotation(t *testing.T) {
	inner, old, next := memstore.New(), newKey("old"), newKey("new")
	create(t, seal(t, inner, old), 1)

	both := seal(t, inner, old, next)
	create(t, both, 2)
	wantPlain(t, "old key first", get(t, both, 1))

	turned := seal(t, inner, next, old)
	create(t, turned, 3)
	for n := 1; n <= 3; n++ {
		wantPlain(t, "new key first", get(t, turned, n))
		wantPlain(t, "a replica that has still the old key first", get(t, both, n))
	}
	reseal(t, turned, 2)
	after := seal(t, inner, next)
	for n := 1; n <= 3; n++ {
		wantPlain(t, "without the old key", get(t, after, n))
	}
	reseal(t, after, 0)
}

func TestResealPassesWhatDoesNotOpen(t *testing.T) {
	inner, old, next := memstore.New(), newKey("old"), newKey("new")
	create(t, seal(t, inner, newKey("lost")), 1)
	create(t, seal(t, inner, old), 2)
	s := seal(t, inner, next, old)
	n, err := s.Reseal(t.Context())
	if n != 1 {
		t.Errorf("Reseal: got %d, want 1", n)
	}
	wantSealed(t, "Reseal", err, `"lost"`, id(1), "1 subscriptions do not open")
	wantPlain(t, "the other", get(t, s, 2))
}

// TestResealAmongOthers changes and deletes subscriptions between the listing and the update.
func TestResealAmongOthers(t *testing.T) {
	inner := memstore.New()
	for n := range 3 {
		create(t, inner, n)
	}
	m := &meddling{Store: inner}
	s := seal(t, m, newKey("k"))
	m.meddle = func() {
		if err := inner.DeleteSubscription(t.Context(), id(0)); err != nil {
			t.Error(err)
		}
		put(t, s, 1, "changed", "changed")
	}
	reseal(t, s, 1)
	wantValues(t, "the one that was changed", get(t, s, 1), signing.Secret("changed"), "changed")
	wantPlain(t, "the other", get(t, s, 2))
}

// meddling is a store in which something happens after a listing.
type meddling struct {
	store.Store
	meddle func()
}

func (m *meddling) Subscriptions(ctx context.Context,
	q store.SubscriptionQuery) (store.Page[store.Subscription], error) {
	page, err := m.Store.Subscriptions(ctx, q)
	m.meddle()
	return page, err
}

func TestResealStopsAtTrouble(t *testing.T) {
	inner := memstore.New()
	create(t, inner, 1)
	s := seal(t, inner, newKey("k"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := s.Reseal(ctx); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("Reseal: got %d, %v, want 0, %v", n, err, context.Canceled)
	}
	m := &meddling{Store: inner, meddle: func() { inner.Close() }}
	if n, err := seal(t, m, newKey("k")).Reseal(t.Context()); n != 0 ||
		!errors.Is(err, store.ErrClosed) {
		t.Errorf("Reseal of a store that closes: got %d, %v, want 0, %v", n, err, store.ErrClosed)
	}
}
