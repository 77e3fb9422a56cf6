package httpapi_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store/memstore"
)

// without are the ways in which a client leaves the key of a subscribe out.
var without = []string{``, `,"signature_key":""`, `,"signature_key":null`, `,"signatureKey":""`,
	`,"signatureKey":null`}

func subscribing(key string) string {
	return `{"id":"` + id1 + `","url":"https://endpoint.example/"` + key + `}`
}

// Each answer about a webhook says whether it is signed.
func TestSignedIsShown(t *testing.T) {
	for _, test := range []struct {
		key  string
		want bool
	}{{``, false}, {`,"signature_key":"key-1"`, true}} {
		h := newHost(t, config{})
		for _, step := range []struct{ endpoint, body string }{
			{"subscribe", subscribing(test.key)}, {"info", `{"id":"` + id1 + `"}`},
			{"update", `{"id":"` + id1 + `"}`}, {"unsubscribe", `{"id":"` + id1 + `"}`},
		} {
			if got := h.must(step.endpoint, step.body).Signed; got == nil || *got != test.want {
				t.Errorf("%s with %q: got signed %v, want %t", step.endpoint, test.key, got, test.want)
			}
		}
		if got := decode[list](t, h.post("list", "")).Data[0].Signed; got == nil || *got != test.want {
			t.Errorf("list with %q: got signed %v, want %t", test.key, got, test.want)
		}
		want := `"signed":` + map[bool]string{true: "true", false: "false"}[test.want]
		if a := h.post("stats", `{"id":"`+id1+`"}`); !strings.Contains(a.body, want) {
			t.Errorf("stats with %q: got %s, want %s", test.key, a.body, want)
		}
	}
	h := newHost(t, config{})
	h.must("subscribe", subscribing(""))
	h.post("rotate", `{"id":"`+id1+`"}`)
	if got := h.must("info", `{"id":"`+id1+`"}`).Signed; got == nil || !*got {
		t.Errorf("after a rotation: got signed %v, want true", got)
	}
}

func TestSigningOptional(t *testing.T) {
	h := newHost(t, config{})
	for _, key := range without {
		w := h.must("subscribe", subscribing(key))
		if w.Key != nil || len(h.stored(id1).Secrets) != 0 {
			t.Errorf("subscribe with %q: got a key, want none", key)
		}
	}
	h.must("subscribe", example)
	h.must("update", `{"id":"`+id1+`","signature_key":""}`)
	if len(h.stored(id1).Secrets) != 0 {
		t.Error("an emptied key is still there")
	}
}

// A generated key is in the answer of the subscribe that has generated it, is what is stored, and
// is in no other answer and no log line.
func TestSigningGenerate(t *testing.T) {
	c := everything()
	c.api.Signing = httpapi.SigningGenerate
	h := newHost(t, c)
	form := regexp.MustCompile(`^whsec_[A-Za-z0-9+/]{43}=$`)
	keys := make(map[string]bool)
	for _, out := range without {
		w := h.must("subscribe", subscribing(out))
		if w.Key == nil || !form.MatchString(*w.Key) || keys[*w.Key] || !*w.Signed {
			t.Fatalf("subscribe with %q: got %+v, want a key that is new", out, w)
		}
		keys[*w.Key] = true
		if got := h.stored(id1).Secrets; len(got) != 1 || string(got[0]) != *w.Key {
			t.Errorf("subscribe with %q: the key of the answer is not what is stored", out)
		}
	}
	h.prepare()
	w := h.must("subscribe", subscribing(""))
	h.verify(id1)
	for _, endpoint := range endpoints {
		b := valid(endpoint)
		if endpoint == "subscribe" {
			continue
		}
		a := h.post(endpoint, b)
		if a.status != 200 || strings.Contains(a.body, *w.Key) ||
			strings.Contains(a.body, "generated_signature_key") {
			t.Errorf("%s: got %d %s, want no generated key", endpoint, a.status, a.body)
		}
	}
	if strings.Contains(h.logged.String(), *w.Key) {
		t.Errorf("the log has the key: %s", h.logged)
	}

	given := h.must("subscribe", subscribing(`,"signature_key":"key-1"`))
	if given.Key != nil || string(h.stored(id1).Secrets[0]) != "key-1" {
		t.Errorf("subscribe with a key: got %+v, want that key, and not shown", given)
	}
	if a := h.post("subscribe", `{"url":"https://127.0.0.1/"}`); a.status != 400 ||
		strings.Contains(a.body, "whsec_") {
		t.Errorf("a subscribe that is refused: got %d %s, want 400 without a key", a.status, a.body)
	}
	wantKeyKept(t, h)
}

func TestSigningRequire(t *testing.T) {
	h := newHost(t, config{api: httpapi.Options{Signing: httpapi.SigningRequire}})
	for _, out := range without {
		a := h.post("subscribe", subscribing(out))
		if text := message(t, a); a.status != 400 || !strings.HasPrefix(text, "signature_key ") {
			t.Errorf("subscribe with %q: got %d %s, want 400 that names signature_key", out, a.status,
				a.body)
		}
	}
	if got := decode[list](t, h.post("list", "")).Data; len(got) != 0 {
		t.Errorf("got %d webhooks after refusals, want none", len(got))
	}
	for _, key := range []string{`,"signature_key":"key-1"`, `,"signatureKey":"key-1"`} {
		if w := h.must("subscribe", subscribing(key)); !*w.Signed || w.Key != nil {
			t.Errorf("subscribe with %q: got %+v, want it signed by that key", key, w)
		}
	}
	wantKeyKept(t, h)
}

// wantKeyKept checks that an update cannot take away the key of the webhook id1, and can do all
// else.
func wantKeyKept(t *testing.T, h *host) {
	t.Helper()
	for _, empty := range without[1:] {
		a := h.post("update", `{"id":"`+id1+`"`+empty+`}`)
		if text := message(t, a); a.status != 400 || !strings.HasPrefix(text, "signature_key ") {
			t.Errorf("update with %q: got %d %s, want 400 that names signature_key", empty, a.status, a.body)
		}
	}
	h.must("update", `{"id":"`+id1+`","name":"renamed"}`)
	if got := h.stored(id1); got.Name != "renamed" || len(got.Secrets) != 1 ||
		got.Secrets[0] != "key-1" {
		t.Errorf("after the updates: got the name %q and %d keys, want renamed and the key of before",
			got.Name, len(got.Secrets))
	}
	h.must("update", `{"id":"`+id1+`","signature_key":"key-2"}`)
	if got := h.stored(id1).Secrets; len(got) != 1 || got[0] != "key-2" {
		t.Errorf("after an update with another key: got %d keys, want that one", len(got))
	}
}

// A webhook from before the option can be changed, and is shown as unsigned.
func TestSigningOfOlderWebhooks(t *testing.T) {
	s := memstore.New()
	newHost(t, config{store: s}).must("subscribe", subscribing(""))
	for _, mode := range []httpapi.Signing{httpapi.SigningGenerate, httpapi.SigningRequire} {
		h := newHost(t, config{store: s, api: httpapi.Options{Signing: mode}})
		if w := h.must("update", `{"id":"`+id1+`","name":"renamed"}`); *w.Signed || w.Key != nil {
			t.Errorf("got %+v, want it renamed and unsigned", w)
		}
	}
}

func TestSigningOutOfBounds(t *testing.T) {
	d, err := dispatcher.New(memstore.New(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []httpapi.Signing{-1, httpapi.SigningGenerateEd25519 + 1} {
		_, err := httpapi.Handler(d, httpapi.NoAuth, &httpapi.Options{Signing: mode})
		invalid := (*events.InvalidError)(nil)
		if !errors.As(err, &invalid) || invalid.Field != "Signing" {
			t.Errorf("%d: got %v, want an error that names Signing", mode, err)
		}
	}
}

// By default a key that can be guessed is refused, and Airy's own are taken.
func TestShortKeys(t *testing.T) {
	h := newHost(t, config{types: &dispatcher.Options{MinSecret: dispatcher.DefaultMinSecret}})
	h.must("subscribe", subscribing(""))
	for key, ok := range map[string]bool{
		"k": false, "hunter2": false, "13 characters": false, "14 characters!": true,
		"user-defined-hmac-key": true, "secret-key-for-hmac-header": true, "schlüssel-🔑": true,
		string(signing.NewSecret()): true,
	} {
		for _, endpoint := range []string{"subscribe", "update", "rotate"} {
			b := `{"id":"` + id1 + `","signature_key":"` + key + `"}`
			if endpoint == "subscribe" {
				b = subscribing(`,"signature_key":"` + key + `"`)
			}
			a := h.post(endpoint, b)
			if ok {
				if a.status != 200 {
					t.Errorf("%s with %q: got %d %s, want 200", endpoint, key, a.status, a.body)
				}
			} else if text := message(t, a); a.status != 400 ||
				!strings.HasPrefix(text, "signature_key is shorter than 14 bytes; ") ||
				strings.Contains(text, key) && len(key) > 1 {
				t.Errorf("%s with %q: got %d %s, want 400 that says how long a key is", endpoint, key, a.status,
					a.body)
			}
		}
	}
}
