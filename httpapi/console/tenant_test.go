package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/outhook/outhook/store"
)

// actions are all that can be done, with the IDs of a webhook and an event.
func actions(id, event string) map[string]url.Values {
	return map[string]url.Values{
		"edit": {"id": {id}, "url": {"https://evil.example/"}}, "enable": {"id": {id}},
		"try":   {"id": {id}, "url": {"https://evil.example/"}, "filter": {`{"a":1}`}},
		"pause": {"id": {id}}, "resume": {"id": {id}},
		"disable": {"id": {id}}, "rotate": {"id": {id}, "overlap": {"0"}}, "delete": {"id": {id}},
		"test": {"id": {id}}, "verify": {"id": {id}}, "example": {"id": {id}, "type": {"order.created"}},
		"redeliver": {"id": {id}, "event": {event}},
		"replay":    {"id": {id}, "state": {"delivered"}}, "erase": {"id": {id}, "event": {event}},
	}
}

// To another tenant, everything is as if it did not exist, to the byte, and nothing changes.
func TestTenants(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	h.publish("acme", "order-1", `{"a":1}`)
	h.subscribe("globex", "theirs")
	before := h.snapshot(sub.ID)
	unknown := uuid.NewString()
	for _, tenant := range []string{"globex", "", "ACME", "acme2"} {
		others := append(somePages(unknown, "order-2"), "download?id="+unknown+"&event=order-2")
		for i, page := range append(somePages(sub.ID, "order-1"),
			"download?id="+sub.ID+"&event=order-1") {
			other := others[i]
			if page == other {
				continue // it names neither
			}
			theirs, nobodys := h.get(page, "X-Tenant", tenant), h.get(other, "X-Tenant", tenant)
			// A search repeats what was entered.
			body := strings.ReplaceAll(theirs.body, "order-1", "order-2")
			if theirs.StatusCode != http.StatusNotFound || body != nobodys.body ||
				nobodys.StatusCode != http.StatusNotFound {
				t.Errorf("%q %s: got %d, and %d for what does not exist; want the same 404:\n%s\n%s",
					tenant, page, theirs.StatusCode, nobodys.StatusCode, body, nobodys.body)
			}
		}
		of := actions(unknown, "order-2")
		for page, form := range actions(sub.ID, "order-1") {
			theirs := h.do(http.MethodPost, page, form, "X-Tenant", tenant)
			nobodys := h.do(http.MethodPost, page, of[page], "X-Tenant", tenant)
			if theirs.StatusCode != http.StatusNotFound || theirs.body != nobodys.body {
				t.Errorf("%q POST %s: got %d, want the 404 of what does not exist", tenant, page,
					theirs.StatusCode)
			}
		}
		for _, d := range []string{sub.ID + "/order-1", unknown + "/order-1", "/", "x"} {
			a := h.do(http.MethodPost, "redeliver", url.Values{"many": {"1"}, "d": {d}}, "X-Tenant", tenant)
			if a.StatusCode != http.StatusNotFound {
				t.Errorf("%q selects %s: got %d, want 404", tenant, d, a.StatusCode)
			}
		}
		// A customer's own parameters widen nothing.
		for _, page := range []string{"list?tenant=acme", "deliveries?tenant=acme", ""} {
			body := h.must(page, "X-Tenant", tenant)
			if strings.Contains(body, sub.ID) || strings.Contains(body, "order-1") {
				t.Errorf("%q %s shows what is acme's", tenant, page)
			}
		}
	}
	if after := h.snapshot(sub.ID); after != before {
		t.Errorf("got %s, want it unchanged: %s", after, before)
	}
	// The first tenant and the operator do see it.
	for _, headers := range [][]string{{"X-Tenant", "acme"}, {"X-Operator", "1"}} {
		for _, page := range somePages(sub.ID, "order-1") {
			h.must(page, headers...)
		}
	}
}

// snapshot is what could have been changed.
func (h *host) snapshot(id string) string {
	h.t.Helper()
	sub, err := h.d.Subscription(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	page, err := h.d.Deliveries(h.t.Context(),
		store.DeliveryQuery{Tenant: sub.Tenant, SubscriptionID: id})
	if err != nil {
		h.t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(sub.UpdatedAt.String() + sub.URL + string(sub.Status) + string(sub.Secrets[0]))
	for _, d := range page.Items {
		b.WriteString(" " + d.EventID + string(d.State))
		if d.Erased {
			b.WriteString("erased")
		}
		attempts, err := h.d.Attempts(h.t.Context(), id, d.EventID)
		if err != nil {
			h.t.Fatal(err)
		}
		b.WriteString(strings.Repeat(".", len(attempts)))
	}
	return b.String()
}

// Who may only look is refused before anything is looked up, and sees no way to do it.
func TestPermissions(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	h.publish("acme", "order-1", `{}`)
	before := h.snapshot(sub.ID)
	look := []string{"X-Tenant", "acme", "X-Look", "1"}
	unknown := actions(uuid.NewString(), "order-2")
	for page, form := range actions(sub.ID, "order-1") {
		a, b := h.do(http.MethodPost, page, form, look...),
			h.do(http.MethodPost, page, unknown[page], look...)
		if a.StatusCode != http.StatusForbidden || a.body != b.body {
			t.Errorf("POST %s: got %d, want the same 403 as for what does not exist", page, a.StatusCode)
		}
	}
	if a := h.do(http.MethodPost, "new", url.Values{"url": {"https://a.example/"}},
		look...); a.StatusCode != http.StatusForbidden {
		t.Errorf("POST new: got %d, want 403", a.StatusCode)
	}
	for _, page := range somePages(sub.ID, "order-1") {
		name, _, _ := strings.Cut(page, "?")
		switch name {
		case "new", "edit", "key", "disable", "rotate", "delete", "replay", "progress",
			"erase", "example":
			if a := h.get(page, look...); a.StatusCode != http.StatusForbidden {
				t.Errorf("%s: got %d, want 403", page, a.StatusCode)
			}
			continue
		}
		body := h.must(page, look...)
		for _, link := range links(body) {
			switch name, _, _ := strings.Cut(link, "?"); name {
			case "new", "edit", "disable", "enable", "pause", "resume", "rotate", "delete", "test",
				"redeliver", "replay", "erase", "example":
				t.Errorf("%s leads to %s, which is not allowed", page, name)
			}
		}
	}
	if after := h.snapshot(sub.ID); after != before {
		t.Errorf("got %s, want it unchanged: %s", after, before)
	}
}

// Who is not let in gets a page that says nothing, and no reason.
func TestNobody(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	for _, page := range append(somePages(sub.ID, "x"), "nothing") {
		a := h.get(page, "X-Nobody", "1", "X-Tenant", "acme")
		if a.StatusCode != http.StatusForbidden || strings.Contains(a.body, "hunter2") ||
			strings.Contains(a.body, "crm") {
			t.Errorf("%s: got %d %s, want a 403 that says nothing", page, a.StatusCode, a.body)
		}
	}
}
