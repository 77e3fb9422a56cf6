package httpapi_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/outhook/outhook/store/memstore"
)

// A signature key goes in and never comes out, after right and wrong requests alike, but in the
// answer of rotate.
func TestKeyNeverComesOut(t *testing.T) {
	const canary = "canary-7d1f"
	bodies := []string{
		body("subscribe", "signature_key", `"`+canary+`"`),
		body("subscribe", "signatureKey", `"`+canary+`"`),
		`{"id":"` + id1 + `","signature_key":"` + canary + `"}`,
		`{"id":"` + id1 + `","status":"Unsubscribed","signatureKey":"` + canary + `"}`,
		`{"id":"` + id1 + `"}`,
		`{}`,
		// and in ways that are refused
		`{"signature_key":"` + canary + `"`,
		`{"signature_key":"` + canary + `\x"}`,
		`{"signature_key":"` + canary + "\xff\"}",
		`{"signature_key":"` + canary + `\ud83d"}`,
		`{"signature_key":` + canary + `}`,
		`{"signature_key":["` + canary + `"]}`,
		`{"signature_key":{"` + canary + `":1},"url":"https://e.example/"}`,
		`{"signature_key":"` + canary + `","signature_key":"` + canary + `"}`,
		`{"signature_key":"` + canary + `","signatureKey":"` + canary + `"}`,
		`{"id":"` + id1 + `","url":"https://e.example/","signature_key":"` + strings.Repeat(canary, 100) +
			`"}`,
		`{"id":"` + id1 + `","url":"https://e.example/","signature_key":"whsec_` + canary + `"}`,
		`{"id":"` + id1 + `","url":"https://e.example/","headers":{"X-A":"` + canary + `\n"}}`,
		`{"id":"` + id1 + `","url":"https://e.example/","headers":{"X-A":["` + canary + `"]}}`,
		`{"id":"` + id1 + `","url":"https://e.example/","headers":{"Host":"` + canary + `"}}`,
		`"` + canary + `"`,
	}
	for _, h := range []*host{newHost(t, config{}),
		newHost(t, config{store: brokenStore{memstore.New()}})} {
		for _, b := range bodies {
			for _, endpoint := range endpoints {
				a := h.post(endpoint, b)
				if shown := endpoint == "rotate" && a.status == 200; strings.Contains(a.body, canary) &&
					!shown {
					t.Errorf("%s %.100s: got %d %s, which has the key", endpoint, b, a.status, a.body)
				}
				for name, values := range a.header {
					if strings.Contains(strings.Join(values, ""), canary) {
						t.Errorf("%s %.100s: the header %s has the key", endpoint, b, name)
					}
				}
			}
		}
		if strings.Contains(h.logged.String(), canary) {
			t.Errorf("the log has the key: %s", h.logged)
		}
	}
	h := newHost(t, config{})
	h.must("subscribe", bodies[0])
	if got := h.stored(id1).Secrets; len(got) != 1 || got[0] != canary {
		t.Errorf("the key was not stored, so this test shows nothing")
	}
}

// The values of a webhook's headers are its owner's to see where Airy shows them, and where a
// response is the webhook too, and nowhere else.
func TestHeaderValuesWhereShown(t *testing.T) {
	const canary = "canary-91b3"
	shows := []string{"subscribe", "update", "unsubscribe", "pause", "resume", "info", "list"}
	h := newHost(t, everything())
	for _, endpoint := range endpoints {
		h.prepare()
		h.must("subscribe", body("subscribe", "headers", `{"X-Token":"`+canary+`"}`))
		b := valid(endpoint)
		if endpoint == "subscribe" {
			b = body(endpoint, "headers", `{"X-Token":"`+canary+`"}`)
		}
		a := h.post(endpoint, b)
		if got, want := strings.Contains(a.body, canary),
			slices.Contains(shows, endpoint); a.status != 200 || got != want {
			t.Errorf("%s: got %d %s; want a header's value in it: %t", endpoint, a.status, a.body, want)
		}
	}
	if strings.Contains(h.logged.String(), canary) {
		t.Errorf("the log has the value: %s", h.logged)
	}
}
