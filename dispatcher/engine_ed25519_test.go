package dispatcher_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// Each key signs in its own way, whatever Options.Signatures is, and a receiver that knows one of
// them verifies what it gets.
func TestEd25519Signatures(t *testing.T) {
	const both, standard, airy = dispatcher.SignaturesBoth, dispatcher.SignaturesStandard,
		dispatcher.SignaturesAiry
	hmac, pair := signing.NewSecret(), signing.NewEd25519Secret()
	for _, tt := range []struct {
		name       string
		signatures dispatcher.Signatures
		keys       []signing.Secret
		airy       bool
		versions   string
	}{
		{"a pair", both, []signing.Secret{pair}, false, "v1a"},
		{"a pair, standard", standard, []signing.Secret{pair}, false, "v1a"},
		{"a pair where Airy's would do", airy, []signing.Secret{pair}, false, "v1a"},
		{"both kinds", both, []signing.Secret{hmac, pair}, true, "v1 v1a"},
		{"both kinds, the pair first", both, []signing.Secret{pair, hmac}, true, "v1a v1"},
		{"both kinds, standard", standard, []signing.Secret{hmac, pair}, false, "v1 v1a"},
		{"both kinds where Airy's would do", airy, []signing.Secret{hmac, pair}, true, "v1 v1a"},
		{"symmetric where Airy's would do", airy, []signing.Secret{hmac}, true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got http.Header
			var body []byte
			w := newWire(t, dispatcher.Options{Signatures: tt.signatures, AllowLoopback: true})
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				got = r.Header
				body, _ = io.ReadAll(r.Body)
			}))
			defer server.Close()
			sub := w.subscribe(t, store.Subscription{URL: server.URL, Secrets: tt.keys})
			if a, err := w.Ping(t.Context(), sub.ID); err != nil || a.Status != http.StatusOK {
				t.Fatalf("Ping: %+v, %v", a, err)
			}
			var versions []string
			for signature := range strings.FieldsSeq(got.Get(signing.HeaderSignature)) {
				version, _, _ := strings.Cut(signature, ",")
				versions = append(versions, version)
			}
			if all := strings.Join(versions, " "); all != tt.versions {
				t.Errorf("webhook-signature has the versions %q, want %q", all, tt.versions)
			}
			want := ""
			if tt.airy {
				want = signing.Airy(hmac, body)
			}
			if airy := got.Get(signing.HeaderAiry); airy != want {
				t.Errorf("Airy's header is %q, want %q", airy, want)
			}
			for _, key := range tt.keys {
				v := signing.Verifier{Keys: []signing.Secret{key}, AllowAiry: true}
				if public := key.Public(); public != "" {
					v = signing.Verifier{PublicKeys: []signing.PublicKey{public}}
				}
				if err := v.Verify(got, body); err != nil {
					t.Errorf("a receiver with the %s key: %v", key.Kind(), err)
				}
			}
		})
	}
}

// A rotation between the kinds overlaps as one within a kind does, and a generated key is of the
// kind of the newest.
func TestRotateBetweenKinds(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		old := signing.NewSecret()
		sub, err := e.Subscribe(t.Context(), store.Subscription{URL: "https://a.example/hook",
			Secrets: []signing.Secret{old}})
		if err != nil {
			t.Fatal(err)
		}
		pair := signing.NewEd25519Secret()
		for range 2 { // the second time adds none
			if sub, err = e.RotateSecret(t.Context(), sub.ID, pair, time.Hour); err != nil {
				t.Fatal(err)
			}
		}
		e.run()
		verifies := func(v signing.Verifier) bool {
			e.publish("order.created", 1)
			pass(time.Second)
			all := e.seen("")
			last := all[len(all)-1]
			return v.Verify(last.Header, []byte(last.Body)) == nil
		}
		symmetric := signing.Verifier{Keys: []signing.Secret{old}}
		public := signing.Verifier{PublicKeys: sub.PublicKeys(time.Now())}
		if len(sub.Secrets) != 2 || !verifies(symmetric) || !verifies(public) {
			t.Errorf("in the overlap there are %d keys, and not both verify", len(sub.Secrets))
		}
		pass(time.Hour)
		if verifies(symmetric) || !verifies(public) {
			t.Error("after the overlap it is not the new key alone that signs")
		}
		sub, err = e.RotateSecret(t.Context(), sub.ID, "", 0)
		if err != nil || len(sub.Secrets) != 1 || sub.Secrets[0].Kind() != signing.Ed25519 ||
			sub.Secrets[0] == pair {
			t.Errorf("a generated key is of the kind %s, %v; want that of the newest",
				sub.NewestKey().Kind(), err)
		}
	})
}

// A private key is refused by name like any other that is none, and has bytes enough for every
// MinSecret.
func TestEd25519Rules(t *testing.T) {
	w := newWire(t, dispatcher.Options{MinSecret: 32})
	for _, tt := range []struct {
		name string
		key  signing.Secret
		want string // in the reason; "" for none
	}{
		{"generated", signing.NewEd25519Secret(), ""},
		{"no key", "whsk_AAAA", "Ed25519 key"},
		{"a public key", signing.Secret(signing.NewEd25519Secret().Public()), "can't sign"},
	} {
		_, err := w.Subscribe(t.Context(), store.Subscription{URL: "https://a.example/hook",
			Secrets: []signing.Secret{tt.key}})
		invalid := (*events.InvalidError)(nil)
		if errors.As(err, &invalid); (err == nil) != (tt.want == "") || err != nil &&
			(invalid == nil || invalid.Field != "signature_key" ||
				!strings.Contains(invalid.Reason, tt.want)) {
			t.Errorf("%s: got %v, want an error of signature_key that says %q", tt.name, err, tt.want)
		}
	}
}
