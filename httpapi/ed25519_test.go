package httpapi_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// keysShown is what a response says of keys.
type keysShown struct {
	Signed       bool
	PublicKeys   []signing.PublicKey `json:"public_keys"`
	PublicKey    signing.PublicKey   `json:"public_key"`
	GeneratedKey string              `json:"generated_signature_key"`
	SignatureKey string              `json:"signature_key"`
}

func (h *host) keys(endpoint, body string) keysShown {
	h.t.Helper()
	a := h.post(endpoint, body)
	if a.status != 200 {
		h.t.Fatalf("%s %s: got %d %s", endpoint, body, a.status, a.body)
	}
	var k keysShown
	if err := json.Unmarshal([]byte(a.body), &k); err != nil {
		h.t.Fatal(err)
	}
	return k
}

// A customer asks for a kind, and the host makes the key: of a pair the public half is in every
// answer about the webhook, and the private one in none, nor in the log.
func TestSignatureKind(t *testing.T) {
	h := newHost(t, config{})
	id := `{"id":"` + id1 + `"}`
	k := h.keys("subscribe", subscribing(`,"signature_kind":"ed25519"`))
	secrets := h.stored(id1).Secrets
	if len(secrets) != 1 || secrets[0].Kind() != signing.Ed25519 || !k.Signed ||
		k.GeneratedKey != "" || !slices.Equal(k.PublicKeys, []signing.PublicKey{secrets[0].Public()}) {
		t.Fatalf("subscribe: got %+v of %d keys", k, len(secrets))
	}
	first := secrets[0]
	for _, endpoint := range []string{"info", "update", "pause", "resume"} {
		if k := h.keys(endpoint, id); !slices.Equal(k.PublicKeys, []signing.PublicKey{first.Public()}) {
			t.Errorf("%s: got %+v", endpoint, k)
		}
	}
	if a := h.post("list", ""); !strings.Contains(a.body, string(first.Public())) {
		t.Errorf("list: got %s", a.body)
	}

	// By the kind that there is, and then by another.
	k = h.keys("rotate", id)
	now := h.stored(id1)
	second := now.NewestKey()
	if k.PublicKey != second.Public() || k.SignatureKey != "" || second.Kind() != signing.Ed25519 {
		t.Errorf("rotate: got %+v", k)
	}
	k = h.keys("info", id)
	want := []signing.PublicKey{first.Public(), second.Public()}
	if !slices.Equal(k.PublicKeys, want) {
		t.Errorf("info in the overlap: got %q, want %q", k.PublicKeys, want)
	}
	k = h.keys("rotate", `{"id":"`+id1+`","signature_kind":"hmac","overlap_seconds":0}`)
	if secrets := h.stored(id1).Secrets; len(secrets) != 1 || k.SignatureKey != string(secrets[0]) ||
		secrets[0].Kind() != signing.HMAC || k.PublicKey != "" {
		t.Errorf("rotate to hmac: got %+v", k)
	}
	if k := h.keys("info", id); k.PublicKeys != nil || !k.Signed {
		t.Errorf("info after it: got %+v", k)
	}
	k = h.keys("rotate", `{"id":"`+id1+`","signature_kind":"ed25519"}`)
	now = h.stored(id1)
	if secrets := now.Keys(time.Now()); len(secrets) != 2 ||
		k.PublicKey != secrets[1].Public() {
		t.Errorf("rotate back: got %+v of %d keys", k, len(secrets))
	}

	k = h.keys("subscribe", subscribing(`,"signature_kind":"hmac"`))
	if k.GeneratedKey == "" || k.GeneratedKey != string(h.stored(id1).Secrets[0]) ||
		k.PublicKeys != nil {
		t.Errorf("subscribe with hmac: got %+v", k)
	}
	if strings.Contains(h.logged.String(), "whsk_") {
		t.Errorf("the log has a private key: %s", h.logged)
	}
}

func TestSignatureKindRefuses(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example)
	pair := signing.NewEd25519Secret()
	for _, test := range []struct{ fields, field string }{
		{`"signature_kind":"rsa"`, "signature_kind"},
		{`"signature_kind":"Ed25519"`, "signature_kind"},
		{`"signature_kind":1`, "signature_kind"},
		{`"signature_kind":"ed25519","signature_key":"key-1"`, "signature_kind"},
		{`"signature_key":"` + string(pair) + `"`, "signature_key"},
		{`"signatureKey":"` + string(pair) + `"`, "signature_key"},
		{`"signature_key":"` + string(pair.Public()) + `"`, "signature_key"},
	} {
		for endpoint, more := range map[string]string{
			"subscribe": `"url":"https://a.example/"`, "rotate": `"id":"` + id1 + `"`,
		} {
			a := h.post(endpoint, `{`+more+`,`+test.fields+`}`)
			if text := message(t, a); a.status != 400 || !strings.HasPrefix(text, test.field+" ") ||
				strings.Contains(text, string(pair)[5:15]) {
				t.Errorf("%s with %.60s: got %d %s, want 400 that names %s", endpoint, test.fields, a.status,
					a.body, test.field)
			}
		}
	}
	a := h.post("update", `{"id":"`+id1+`","signature_key":"`+string(pair)+`"}`)
	if text := message(t, a); a.status != 400 || !strings.HasPrefix(text, "signature_key ") {
		t.Errorf("update: got %d %s, want 400", a.status, a.body)
	}
	// Null and empty are left out.
	for _, kind := range []string{`null`, `""`} {
		if k := h.keys("subscribe", subscribing(`,"signature_kind":`+kind)); k.Signed {
			t.Errorf("signature_kind %s: got %+v, want no key", kind, k)
		}
	}
	// With a key of its own, hmac says nothing new.
	h.keys("subscribe", subscribing(`,"signature_kind":"hmac","signature_key":"key-1"`))
	if got := h.stored(id1).Secrets; len(got) != 1 || got[0] != "key-1" {
		t.Errorf("got %d keys, want the one that was given", len(got))
	}
}

// A host may make pairs wherever a request has no key.
func TestSigningGenerateEd25519(t *testing.T) {
	h := newHost(t, config{api: httpapi.Options{Signing: httpapi.SigningGenerateEd25519}})
	form := regexp.MustCompile(`^whpk_[A-Za-z0-9+/]{43}=$`)
	for _, out := range without {
		k := h.keys("subscribe", subscribing(out))
		if !k.Signed || k.GeneratedKey != "" || len(k.PublicKeys) != 1 ||
			!form.MatchString(string(k.PublicKeys[0])) {
			t.Errorf("subscribe with %q: got %+v", out, k)
		}
	}
	if k := h.keys("subscribe", subscribing(`,"signature_kind":"hmac"`)); k.GeneratedKey == "" {
		t.Errorf("another kind: got %+v", k)
	}
	h.keys("subscribe", subscribing(`,"signature_key":"key-1"`))
	if got := h.stored(id1).Secrets[0]; got != "key-1" {
		t.Error("a key that was given is not what is stored")
	}
	wantKeyKept(t, h)
}

// A webhook whose keys can't be read shows none.
func TestPublicKeysOfSealed(t *testing.T) {
	sub := store.Subscription{SealedWith: "key-1", Secrets: []signing.Secret{signing.NewEd25519Secret()}}
	if got := sub.PublicKeys(time.Now()); got != nil {
		t.Errorf("got %q, want none", got)
	}
}
