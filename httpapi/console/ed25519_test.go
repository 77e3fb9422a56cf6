package console_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// A webhook with a pair shows its public key to everybody who sees it, at every time, and nobody
// the private one.
func TestPublicKeyIsShown(t *testing.T) {
	h := newHost(t, nil, nil)
	b := newBrowser(t, tenantOf(h, "acme"), "/admin/hooks/")
	a := b.post("new", url.Values{"url": {"https://shop.example/in"}, "kind": {"ed25519"}})
	page, err := h.d.Subscriptions(t.Context(), store.SubscriptionQuery{Tenant: "acme"})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("got %v, %v, want one webhook", page.Items, err)
	}
	sub := page.Items[0]
	key := sub.NewestKey()
	shown := func(what string, a answer) {
		t.Helper()
		if key.Kind() != signing.Ed25519 || !a.shows(string(key.Public())) || a.shows("whsk_") {
			t.Errorf("%s: got %d %s, want the public key and not the private one", what, a.StatusCode,
				a.body)
		}
	}
	shown("the page after it", a)
	shown("its key, again", b.get("key?id="+sub.ID))
	shown("the webhook", b.get("webhook?id="+sub.ID))

	form := formOf(t, b.get("rotate?id="+sub.ID).body, "rotate")
	form.Set("overlap", "24")
	if kind := form.Get("kind"); kind != "" { // a select: formOf reads inputs
		t.Errorf("the form has the kind %q as an input", kind)
	}
	a = b.post("rotate", form)
	rotated, err := h.d.Subscription(t.Context(), sub.ID)
	if err != nil {
		t.Fatal(err)
	}
	old := key
	key = rotated.NewestKey()
	shown("after a rotation", a)
	if a := b.get("webhook?id=" + sub.ID); !a.shows(string(old.Public())) ||
		!a.shows(string(key.Public())) {
		t.Errorf("in the overlap: got %s, want both public keys", a.body)
	}
	form = formOf(t, b.get("rotate?id="+sub.ID).body, "rotate")
	form.Set("overlap", "0")
	form.Set("kind", "hmac")
	a = b.post("rotate", form)
	if rotated, err = h.d.Subscription(t.Context(), sub.ID); err != nil ||
		rotated.NewestKey().Kind() != signing.HMAC || !a.shows(string(rotated.NewestKey())) {
		t.Errorf("to a shared secret: got %d %s, %v", a.StatusCode, a.body, err)
	}
}

// The catalogue and the form say which version a type has and that it is deprecated, and have no
// type that is hidden from the customer.
func TestTypesOfACustomer(t *testing.T) {
	h := newHost(t, nil, &dispatcher.Options{
		EventTypes: []events.Type{
			{Name: "order.paid", Version: "2026-03-01", Deprecated: "Use order.settled."},
			{Name: "beta.scored"},
		},
		TypeVisible: func(tenant, eventType string) bool {
			return tenant != "acme" || eventType != "beta.scored"
		},
	})
	for _, page := range []string{"types", "new", "deliveries"} {
		for tenant, sees := range map[string]bool{"acme": false, "other": true} {
			if got := strings.Contains(h.must(page, "X-Tenant", tenant), "beta.scored"); got != sees {
				t.Errorf("%s of %s has the hidden type: %t", page, tenant, got)
			}
		}
		if !strings.Contains(h.must(page, "X-Operator", "1"), "beta.scored") {
			t.Errorf("%s of the operator has not the type", page)
		}
	}
	types := h.must("types", "X-Tenant", "acme")
	if !strings.Contains(types, "2026-03-01") || !strings.Contains(types, "Use order.settled.") ||
		!strings.Contains(h.must("new", "X-Tenant", "acme"), "Use order.settled.") {
		t.Errorf("got %s, want the version and what to use instead", types)
	}
}
