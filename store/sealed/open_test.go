package sealed_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/sealed"
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
		wantUnreadable(t, fmt.Sprintf("byte %d changed", i), s, inner)
	}
	for i := 0; i < len(value); i++ {
		put(t, inner, 1, kept.Secrets[0], value[:i])
		wantUnreadable(t, fmt.Sprintf("cut after %d bytes", i), s, inner)
	}
	put(t, inner, 1, kept.Secrets[0], value)
	wantPlain(t, "restored", get(t, s, 1))
}

// TestMoved changes what is stored of a sealed subscription, as somebody may who can write to the
// store: nothing of it opens then.
func TestMoved(t *testing.T) {
	for _, tt := range []struct {
		name string
		move func(to *store.Subscription, from store.Subscription)
		want string // what the error names
	}{
		{"secret of another subscription", func(to *store.Subscription, from store.Subscription) {
			to.Secrets = from.Secrets
		}, "secret 1 of subscription " + id(1)},
		{"header of another subscription", func(to *store.Subscription, from store.Subscription) {
			to.Headers = from.Headers
		}, "the header X-Token of subscription " + id(1)},
		{"header under another name", func(to *store.Subscription, _ store.Subscription) {
			to.Headers = map[string]string{"X-Public": to.Headers[headerName]}
		}, "of subscription " + id(1)},
		{"header under a second name", func(to *store.Subscription, _ store.Subscription) {
			to.Headers["X-Public"] = to.Headers[headerName]
		}, "of subscription " + id(1)},
		{"secret as a header", func(to *store.Subscription, _ store.Subscription) {
			to.Headers[headerName] = string(to.Secrets[0])
		}, "the header X-Token of subscription " + id(1)},
		{"header as a secret", func(to *store.Subscription, _ store.Subscription) {
			to.Secrets[0] = signing.Secret(to.Headers[headerName])
		}, "secret 1 of subscription " + id(1)},
		{"another URL", func(to *store.Subscription, _ store.Subscription) {
			to.URL = "https://thief.example/"
		}, "of subscription " + id(1)},
		{"another path", func(to *store.Subscription, _ store.Subscription) { to.URL += "x" },
			"of subscription " + id(1)},
		{"secrets in another order", func(to *store.Subscription, _ store.Subscription) {
			to.Secrets[0], to.Secrets[1] = to.Secrets[1], to.Secrets[0]
		}, "secret 1 of subscription " + id(1)},
		{"one secret less", func(to *store.Subscription, _ store.Subscription) {
			to.Secrets = to.Secrets[:1]
		}, "of subscription " + id(1)},
		{"one secret twice", func(to *store.Subscription, _ store.Subscription) {
			to.Secrets = append(to.Secrets, to.Secrets[0])
		}, "of subscription " + id(1)},
		{"no secret", func(to *store.Subscription, _ store.Subscription) { to.Secrets = nil },
			"of subscription " + id(1)},
		{"no header", func(to *store.Subscription, _ store.Subscription) { to.Headers = nil },
			"of subscription " + id(1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inner, key := memstore.New(), newKey("k")
			s := seal(t, inner, key)
			for n := 1; n <= 2; n++ {
				create(t, s, n)
				rotate(t, s, n)
			}
			publish(t, s, 4)
			claim(t, s, 2) // what was opened for them must not be used for what is stored now
			from := get(t, inner, 2)
			_, err := inner.UpdateSubscription(t.Context(), id(1), func(to *store.Subscription) error {
				tt.move(to, from)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			wantUnreadable(t, "moved", s, inner)
			for _, c := range claim(t, s, 10) {
				if of := c.SubscriptionID == id(1); of != (c.Subscription.SealedWith != "") {
					t.Errorf("a claim of %s is sealed with %q", c.SubscriptionID, c.Subscription.SealedWith)
				}
			}
			_, err = seal(t, inner, newKey("new"), key).Reseal(t.Context())
			wantSealed(t, "Reseal", err, tt.want)
			if err := s.DeleteSubscription(t.Context(), id(1)); err != nil {
				t.Errorf("DeleteSubscription: got error %v, want none", err)
			}
		})
	}
}

// TestMovedToAnotherTenant creates the subscription of a tenant, as it is stored, for another.
func TestMovedToAnotherTenant(t *testing.T) {
	inner := memstore.New()
	s := seal(t, inner, newKey("k"))
	create(t, s, 1)
	kept := get(t, inner, 1)
	if err := inner.DeleteSubscription(t.Context(), id(1)); err != nil {
		t.Fatal(err)
	}
	kept.Tenant = "thief"
	if _, err := inner.CreateSubscription(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	wantUnreadable(t, "of another tenant", s, inner)
}

// rotate gives the n-th subscription a second secret.
func rotate(t *testing.T, s store.Store, n int) {
	t.Helper()
	_, err := s.UpdateSubscription(t.Context(), id(n), func(sub *store.Subscription) error {
		sub.Secrets = append(sub.Secrets, "canary-of-another-secret")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// wantUnreadable checks that the first subscription is read as it is stored, alone and in a list,
// and that no change of its values in part is taken.
func wantUnreadable(t *testing.T, what string, s *sealed.Store, inner store.Store) {
	t.Helper()
	kept := get(t, inner, 1)
	page, err := s.Subscriptions(t.Context(), store.SubscriptionQuery{AnyTenant: true})
	if err != nil || len(page.Items) == 0 {
		t.Fatalf("%s: Subscriptions: got %d, %v, want all", what, len(page.Items), err)
	}
	listed := page.Items[slices.IndexFunc(page.Items, func(sub store.Subscription) bool {
		return sub.ID == id(1)
	})]
	for _, sub := range []store.Subscription{get(t, s, 1), listed} {
		if !sameSealed(sub, kept) || sub.SealedWith == "" {
			t.Errorf("%s: read as %q, %q, sealed with %q; want it as it is stored", what,
				texts(sub.Secrets), sub.Headers, sub.SealedWith)
		}
	}
	for name, change := range map[string]func(*store.Subscription){
		"a secret":  func(sub *store.Subscription) { sub.Secrets = append(sub.Secrets, "plain") },
		"a header":  func(sub *store.Subscription) { sub.Headers = map[string]string{"A": "plain"} },
		"the URL":   func(sub *store.Subscription) { sub.URL += "/elsewhere" },
		"the key":   func(sub *store.Subscription) { sub.SealedWith = "another" },
		"no header": func(sub *store.Subscription) { sub.Secrets, sub.Headers = nil, nil },
	} {
		_, err := s.UpdateSubscription(t.Context(), id(1), func(sub *store.Subscription) error {
			change(sub)
			return nil
		})
		// What has none of them is not changed by that.
		if name == "no header" && len(kept.Headers)+len(kept.Secrets) == 0 {
			continue
		}
		wantSealed(t, what+": update of "+name, err)
	}
	if now := get(t, inner, 1); !sameSealed(now, kept) {
		t.Errorf("%s: updates that were refused have changed it to %+v", what, now)
	}
}

// sameSealed reports whether everything that is sealed is the same.
func sameSealed(a, b store.Subscription) bool {
	return a.SealedWith == b.SealedWith && a.URL == b.URL && slices.Equal(a.Secrets, b.Secrets) &&
		maps.Equal(a.Headers, b.Headers)
}

// wantSealed checks an error of a value that does not open.
func wantSealed(t *testing.T, what string, err error, names ...string) {
	t.Helper()
	if !errors.Is(err, store.ErrSealed) {
		t.Errorf("%s: got error %v, want %v", what, err, store.ErrSealed)
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
	_, err := seal(t, inner, newKey("new")).Reseal(t.Context())
	wantSealed(t, "another key", err, `"old"`, "give that key to New")
	_, err = seal(t, inner, newKey("first"), newKey("old")).Reseal(t.Context())
	wantSealed(t, "another key of the same ID", err, `"old"`, "does not open")
}

// TestUnreadableIsUpdated changes a subscription whose key is missing: what is not sealed, with the
// values as they are, and then all values.
func TestUnreadableIsUpdated(t *testing.T) {
	inner, key := memstore.New(), newKey("k")
	s := seal(t, inner, key)
	create(t, s, 1)
	without := seal(t, inner, newKey("another"))
	kept := get(t, inner, 1)
	sub, err := without.UpdateSubscription(t.Context(), id(1), func(sub *store.Subscription) error {
		sub.Name, sub.Status, sub.Tenant = "renamed", store.Unsubscribed, "another"
		return nil
	})
	if err != nil || sub.Name != "renamed" || !sameSealed(sub, kept) {
		t.Errorf("update of the name: got %+v, %v, want the new name and the values as stored", sub, err)
	}
	if got := get(t, s, 1); got.Name != "renamed" || got.Status != store.Unsubscribed {
		t.Errorf("with the key again: got %+v, want what was changed", got)
	}
	wantPlain(t, "with the key again", get(t, s, 1))
	for what, keep := range map[string]func(*store.Subscription){
		"secret": func(sub *store.Subscription) { sub.Headers = nil },
		"header": func(sub *store.Subscription) { sub.Secrets = nil },
	} {
		_, err := without.UpdateSubscription(t.Context(), id(1), func(sub *store.Subscription) error {
			keep(sub)
			sub.SealedWith = "" // as if the rest were plain
			return nil
		})
		if !errors.Is(err, store.ErrSealed) {
			t.Errorf("update that keeps a %s that is sealed: got %v, want store.ErrSealed", what, err)
		}
	}
	sub, err = without.UpdateSubscription(t.Context(), id(1), func(sub *store.Subscription) error {
		sub.Secrets, sub.Headers = []signing.Secret{"next"}, map[string]string{headerName: "next"}
		sub.SealedWith, sub.URL = "", "https://next.example/"
		return nil
	})
	if err != nil || sub.SealedWith != "" {
		t.Errorf("update of all values: got %+v, %v, want it plain", sub, err)
	}
	wantValues(t, "what all values were replaced by", get(t, without, 1), "next", "next")
	if now := get(t, inner, 1); now.SealedWith != "another" {
		t.Errorf("it is stored as %+v, want it sealed", now)
	}
}
