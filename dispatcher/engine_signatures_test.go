package dispatcher_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// Options.Signatures chooses the headers of deliveries and of pings alike, and a receiver of either
// kind can verify what it gets.
func TestSignaturesAreChosen(t *testing.T) {
	const key = signing.Secret("a key of the customer's")
	for name, tt := range map[string]struct {
		signatures     dispatcher.Signatures
		airy, standard bool
	}{
		"default":  {0, true, true},
		"both":     {dispatcher.SignaturesBoth, true, true},
		"standard": {dispatcher.SignaturesStandard, false, true},
		"airy":     {dispatcher.SignaturesAiry, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, s store.Store) {
				e := newEngine(t, s, &dispatcher.Options{Backoff: noJitter, Signatures: tt.signatures})
				sub, err := e.Subscribe(t.Context(),
					store.Subscription{URL: "https://a.example/hook", Secrets: []signing.Secret{key}})
				if err != nil {
					t.Fatal(err)
				}
				e.run()
				e.publish("order.created", 1)
				pass(time.Second)
				if _, err := e.Ping(t.Context(), sub.ID); err != nil {
					t.Fatal(err)
				}
				requests := e.seen("")
				if len(requests) != 2 {
					t.Fatalf("%d requests, want a delivery and a ping", len(requests))
				}
				for _, r := range requests {
					if got := len(r.Header.Values(signing.HeaderAiry)) > 0; got != tt.airy {
						t.Errorf("%s: %t, want %t", signing.HeaderAiry, got, tt.airy)
					}
					if got := len(r.Header.Values(signing.HeaderSignature)) > 0; got != tt.standard {
						t.Errorf("%s: %t, want %t", signing.HeaderSignature, got, tt.standard)
					}
					for _, name := range []string{signing.HeaderID, signing.HeaderTimestamp,
						signing.HeaderAttempt} {
						if r.Header.Get(name) == "" {
							t.Errorf("%s is missing; it is no signature", name)
						}
					}
					v := signing.Verifier{Keys: []signing.Secret{key}, AllowAiry: !tt.standard}
					if err := v.Verify(r.Header, []byte(r.Body)); err != nil {
						t.Errorf("a receiver says %v, want nil", err)
					}
				}
			})
		})
	}
}

// MinSecret refuses new keys that are too short, by every way in, and none that is stored.
func TestMinSecret(t *testing.T) {
	const short, long = signing.Secret("13 characters"), signing.Secret("14 characters!")
	wantShort := func(t *testing.T, err error) {
		t.Helper()
		invalid := (*events.InvalidError)(nil)
		if !errors.As(err, &invalid) || invalid.Field != "signature_key" ||
			!strings.Contains(invalid.Reason, "shorter than 14 bytes") ||
			strings.Contains(invalid.Reason, string(short)) {
			t.Errorf("got %v, want an error of signature_key that says how long it must be", err)
		}
	}
	onEachStore(t, func(t *testing.T, s store.Store) {
		lax := newEngine(t, s, &dispatcher.Options{MinSecret: 1})
		old, err := lax.Subscribe(t.Context(),
			store.Subscription{URL: "https://a.example/hook", Secrets: []signing.Secret{"k"}})
		if err != nil {
			t.Fatalf("a key of one byte where the host allows it: %v", err)
		}

		e := newEngine(t, s, nil)
		_, err = e.Subscribe(t.Context(),
			store.Subscription{URL: "https://a.example/hook", Secrets: []signing.Secret{short}})
		wantShort(t, err)
		_, err = e.RotateSecret(t.Context(), old.ID, short, time.Hour)
		wantShort(t, err)
		_, err = e.Update(t.Context(), old.ID, func(sub *store.Subscription) error {
			sub.Secrets = []signing.Secret{short}
			return nil
		})
		wantShort(t, err)

		renamed, err := e.Update(t.Context(), old.ID, func(sub *store.Subscription) error {
			sub.Name = "renamed"
			return nil
		})
		if err != nil || renamed.Name != "renamed" {
			t.Errorf("a subscription whose short key is older than the option: %v, want it renamed", err)
		}
		rotated, err := e.RotateSecret(t.Context(), old.ID, long, time.Hour)
		if err != nil || len(rotated.Secrets) != 2 {
			t.Errorf("a rotation from a short key: %d keys, %v; want both to sign", len(rotated.Secrets), err)
		}
	})
}

// The length of a whsec_ key is that of what it decodes to.
func TestMinSecretOfDecodedKeys(t *testing.T) {
	w := newWire(t, dispatcher.Options{MinSecret: 32})
	for _, tt := range []struct {
		name string
		key  signing.Secret
		ok   bool
	}{
		{"whsec_ of 31 bytes", whsec(31), false},
		{"whsec_ of 32 bytes", whsec(32), true},
		{"generated", signing.NewSecret(), true},
		{"text of 31 bytes", signing.Secret(strings.Repeat("k", 31)), false},
		{"text of 32 bytes", signing.Secret(strings.Repeat("k", 32)), true},
	} {
		_, err := w.Subscribe(t.Context(),
			store.Subscription{URL: "https://a.example/hook", Secrets: []signing.Secret{tt.key}})
		if (err == nil) != tt.ok {
			t.Errorf("%s: Subscribe = %v, want nil: %t", tt.name, err, tt.ok)
		}
	}
}
