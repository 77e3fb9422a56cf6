package sealed_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/sealed"
)

func newKey(id string) sealed.Key { return sealed.Key{ID: id, Secret: sealed.NewSecret()} }

// seal returns a sealed store around inner.
func seal(t testing.TB, inner store.Store, keys ...sealed.Key) *sealed.Store {
	t.Helper()
	s, err := sealed.New(inner, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// id is the ID of the n-th subscription.
func id(n int) string { return fmt.Sprintf("5ab5c81b-0000-4000-8000-%012x", n) }

// The plain values of the subscriptions that create makes.
const (
	secret      = signing.Secret("canary-of-a-secret")
	headerName  = "X-Token"
	headerValue = "canary-of-a-header"
)

// create stores the n-th subscription.
func create(t testing.TB, s store.Store, n int) store.Subscription {
	t.Helper()
	sub, err := s.CreateSubscription(t.Context(), store.Subscription{
		ID:      id(n),
		URL:     "https://endpoint.example/",
		Headers: map[string]string{headerName: headerValue},
		Secrets: []signing.Secret{secret},
		Status:  store.Subscribed,
	})
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// get reads the n-th subscription.
func get(t testing.TB, s store.Store, n int) store.Subscription {
	t.Helper()
	sub, err := s.Subscription(t.Context(), id(n))
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// put replaces the secret and the header value of the n-th subscription.
func put(t testing.TB, s store.Store, n int, key signing.Secret, value string) {
	t.Helper()
	_, err := s.UpdateSubscription(t.Context(), id(n), func(sub *store.Subscription) error {
		sub.Secrets, sub.Headers = []signing.Secret{key}, map[string]string{headerName: value}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// keep makes the secret, the header value and SealedWith of the n-th subscription what they are
// given as.
func keep(t testing.TB, inner store.Store, n int, key signing.Secret, value, sealedWith string) {
	t.Helper()
	_, err := inner.UpdateSubscription(t.Context(), id(n), func(sub *store.Subscription) error {
		sub.Secrets, sub.Headers = []signing.Secret{key}, map[string]string{headerName: value}
		sub.SealedWith = sealedWith
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// wantPlain checks the values of a subscription that create made.
func wantPlain(t testing.TB, what string, sub store.Subscription) {
	t.Helper()
	wantValues(t, what, sub, secret, headerValue)
}

func wantValues(t testing.TB, what string, sub store.Subscription, key signing.Secret,
	value string) {
	t.Helper()
	if len(sub.Secrets) != 1 || sub.Secrets[0] != key {
		t.Errorf("%s: got secrets %q, want %q alone", what, texts(sub.Secrets), string(key))
	}
	if len(sub.Headers) != 1 || sub.Headers[headerName] != value {
		t.Errorf("%s: got headers %q, want %s alone, %q", what, sub.Headers, headerName, value)
	}
}

func texts(secrets []signing.Secret) (out []string) {
	for _, s := range secrets {
		out = append(out, string(s))
	}
	return out
}

// publish enqueues n events.
func publish(t testing.TB, s store.Store, n int) {
	t.Helper()
	for range n {
		e, err := events.New("message.created", "hello")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Enqueue(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

// claim claims at most n deliveries.
func claim(t testing.TB, s store.Store, n int) []store.Claim {
	t.Helper()
	claims, err := s.Claim(context.Background(), store.ClaimRequest{Max: n, Lease: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return claims.Claims
}
