package sealed_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

func TestSealedForm(t *testing.T) {
	inner := memstore.New()
	s := seal(t, inner, newKey("k.1"))
	create(t, s, 1)
	create(t, s, 2)
	kept, other := get(t, inner, 1), get(t, inner, 2)
	values := []string{string(kept.Secrets[0]), kept.Headers[headerName], string(other.Secrets[0]),
		other.Headers[headerName]}
	if kept.SealedWith != "k.1" {
		t.Errorf("SealedWith: got %q, want the key's ID", kept.SealedWith)
	}
	seen := make(map[string]bool)
	for _, v := range values {
		if strings.Contains(v, "canary") {
			t.Errorf("stored value: got %q, want it sealed", v)
		}
		if strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("stored value: got %q, want printable ASCII", v)
		}
		if seen[v] {
			t.Errorf("stored value %q is there twice: want a nonce of its own for each", v)
		}
		seen[v] = true
	}
}

func TestValuesThatLookSealed(t *testing.T) {
	inner := memstore.New()
	s := seal(t, inner, newKey("k"))
	create(t, s, 1)
	sealedText := get(t, inner, 1).Headers[headerName]
	for _, value := range []string{"outhook:sealed:v1:k:AAAA", "AAAA", "", "ü\n\x00\xff", sealedText} {
		put(t, s, 1, signing.Secret(value), value)
		wantValues(t, "what was stored", get(t, s, 1), signing.Secret(value), value)
	}
}

// TestTampered changes each byte of a sealed value in turn.
func TestTampered(t *testing.T) {
	inner := memstore.New()
	s := seal(t, inner, newKey("k"))
	create(t, s, 1)
	kept := get(t, inner, 1)
	value := kept.Headers[headerName]
	for i := 0; i < len(value); i++ {
		changed := []byte(value)
		if changed[i]++; changed[i] == '{' {
			changed[i] = 'a'
		}
		put(t, inner, 1, kept.Secrets[0], string(changed))
		if _, err := s.Subscription(t.Context(), id(1)); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("byte %d changed: got error %v, want %v", i, err, store.ErrCorrupt)
		}
	}
	for i := 0; i < len(value); i++ {
		put(t, inner, 1, kept.Secrets[0], value[:i])
		if _, err := s.Subscription(t.Context(), id(1)); !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("cut after %d bytes: got error %v, want %v", i, err, store.ErrCorrupt)
		}
	}
	put(t, inner, 1, kept.Secrets[0], value)
	wantPlain(t, "restored", get(t, s, 1))
}

// TestMoved puts sealed values where they do not belong.
func TestMoved(t *testing.T) {
	for _, tt := range []struct {
		name string
		move func(to *store.Subscription, from store.Subscription)
		want string // what the error names
	}{
		{"secret of another subscription", func(to *store.Subscription, from store.Subscription) {
			to.Secrets = from.Secrets
		}, "a secret of subscription " + id(1)},
		{"header of another subscription", func(to *store.Subscription, from store.Subscription) {
			to.Headers = from.Headers
		}, "the header X-Token of subscription " + id(1)},
		{"header under another name", func(to *store.Subscription, _ store.Subscription) {
			to.Headers["X-Public"] = to.Headers[headerName]
		}, "the header X-Public of subscription " + id(1)},
		{"secret as a header", func(to *store.Subscription, _ store.Subscription) {
			to.Headers[headerName] = string(to.Secrets[0])
		}, "the header X-Token of subscription " + id(1)},
		{"header as a secret", func(to *store.Subscription, _ store.Subscription) {
			to.Secrets[0] = signing.Secret(to.Headers[headerName])
		}, "a secret of subscription " + id(1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inner := memstore.New()
			s := seal(t, inner, newKey("k"))
			create(t, s, 1)
			create(t, s, 2)
			from := get(t, inner, 2)
			_, err := inner.UpdateSubscription(t.Context(), id(1), func(to *store.Subscription) error {
				tt.move(to, from)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Subscription(t.Context(), id(1))
			wantCorrupt(t, "Subscription", err, tt.want)
			_, err = s.Subscriptions(t.Context(), store.SubscriptionQuery{})
			wantCorrupt(t, "Subscriptions", err, tt.want)
			_, err = s.UpdateSubscription(t.Context(), id(1), func(*store.Subscription) error {
				t.Error("UpdateSubscription called change")
				return nil
			})
			wantCorrupt(t, "UpdateSubscription", err, tt.want)
			if err := s.DeleteSubscription(t.Context(), id(1)); err != nil {
				t.Errorf("DeleteSubscription: got error %v, want none", err)
			}
		})
	}
}

// wantCorrupt checks an error of a value that does not open.
func wantCorrupt(t *testing.T, what string, err error, names ...string) {
	t.Helper()
	if !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("%s: got error %v, want %v", what, err, store.ErrCorrupt)
		return
	}
	for _, name := range names {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got error %q, want it to name %q", what, err, name)
		}
	}
	for _, canary := range []string{string(secret), headerValue} {
		if strings.Contains(err.Error(), canary) {
			t.Errorf("%s: the error %q tells the value", what, err)
		}
	}
}

func TestUnknownKey(t *testing.T) {
	inner := memstore.New()
	create(t, seal(t, inner, newKey("old")), 1)
	_, err := seal(t, inner, newKey("new")).Subscription(t.Context(), id(1))
	wantCorrupt(t, "another key", err, `"old"`, "give that key to New")
	_, err = seal(t, inner, newKey("old")).Subscription(t.Context(), id(1))
	wantCorrupt(t, "another key of the same ID", err, `"old"`, "does not open")
}
