package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// A customer sees the host, and not the name of the software that it uses: not even in the headers
// that were sent, where an operator sees it.
func TestCustomersSeeNoSoftware(t *testing.T) {
	h := newHost(t, nil, &dispatcher.Options{AttemptDetail: dispatcher.DetailOfAll})
	sub := h.subscribe("acme", "crm")
	h.publish("acme", "order-1", `{}`)
	pages := append(somePages(sub.ID, "order-1"), "nothing", "webhook?id=nothing", "console.css",
		"console.js", "deliveries?status=x&since=x", "replay")
	for _, page := range pages {
		checkWords(t, page, h.get(page, "X-Tenant", "acme"))
	}
	// A public key, whose page says how to verify by it.
	pair, err := h.d.Subscribe(t.Context(), store.Subscription{Tenant: "acme",
		URL: "https://pair.example/in", Secrets: []signing.Secret{signing.NewSecretOf(signing.Ed25519)}})
	if err != nil {
		t.Fatal(err)
	}
	a := h.get("key?id="+pair.ID, "X-Tenant", "acme")
	if !a.shows("whpk_") || !a.shows("ed25519.Verify") {
		t.Errorf("got %s, want the public key and how to verify by it", a.body)
	}
	checkWords(t, "the page of a public key", a)
	// A shared secret, which shows once.
	b := newBrowser(t, tenantOf(h, "acme"), "/admin/hooks/")
	a = b.post("new", url.Values{"url": {"https://shared.example/in"}})
	if !a.shows("whsec_") {
		t.Errorf("got %s, want the key and how to verify by it", a.body)
	}
	checkWords(t, "the page of a shared secret", a)
	for page, form := range map[string]url.Values{
		"new":       {"url": {"http://127.0.0.1/"}, "patterns": {"!"}, "hn": {"Host"}, "hv": {"x"}},
		"redeliver": {"id": {sub.ID}, "event": {"nothing"}},
		"rotate":    {"id": {sub.ID}},
	} {
		a := h.do(http.MethodPost, page, form, "X-Tenant", "acme")
		if a.StatusCode < 400 {
			t.Fatalf("POST %s: got %d, want a mistake", page, a.StatusCode)
		}
		checkWords(t, page, a)
	}
	page := "delivery?id=" + sub.ID + "&event=order-1"
	if a := h.get(page, "X-Tenant", "acme"); !a.shows("Webhook-Signature: ") &&
		!a.shows("webhook-signature: ") {
		t.Errorf("got %s, want the other headers that were sent", a.body)
	}
	if a := h.get(page, "X-Operator", "1"); !a.shows("outhook/") ||
		!strings.Contains(a.body, "X-Airy-Content-Signature") {
		t.Errorf("the operator: got %s, want all headers that were sent", a.body)
	}
}

func checkWords(t *testing.T, page string, a answer) {
	t.Helper()
	all := a.body
	for name, values := range a.Header {
		all += "\n" + name + ": " + strings.Join(values, ", ")
	}
	for _, word := range []string{"outhook", "airy"} {
		if at := strings.Index(strings.ToLower(all), word); at >= 0 {
			t.Errorf("%s shows %q: … %s …", page, word, all[max(at-80, 0):min(at+80, len(all))])
		}
	}
}
