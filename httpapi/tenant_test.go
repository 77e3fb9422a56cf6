package httpapi_test

import (
	"strings"
	"testing"
)

// To another tenant, a webhook is one that does not exist: the same answers to the byte, and nothing changes.
func TestTenantsIsolated(t *testing.T) {
	h := newHost(t, config{})
	h.must("subscribe", example, "X-Tenant", "acme")
	before := h.stored(id1)
	for _, tenant := range []string{"", "globex", "ACME", "acme2"} {
		for _, test := range []struct{ endpoint, body string }{
			{"info", `{"id":"ID"}`},
			{"unsubscribe", `{"id":"ID"}`},
			{"update", `{"id":"ID"}`},
			{"update", `{"id":"ID","url":"https://evil.example/","signature_key":"evil"}`},
			{"update", `{"id":"ID","url":"not a url"}`},
			{"update", `{"id":"ID","status":"Unsubscribed"}`},
		} {
			theirs := h.post(test.endpoint, strings.ReplaceAll(test.body, "ID", id1), "X-Tenant", tenant)
			nobodys := h.post(test.endpoint, strings.ReplaceAll(test.body, "ID", id2), "X-Tenant", tenant)
			if theirs.status != 404 || theirs.body != nobodys.body || nobodys.status != 404 {
				t.Errorf("%q %s %s: got %d %s, and for an id that is nobody's %d %s; want the same 404", tenant, test.endpoint, test.body,
					theirs.status, theirs.body, nobodys.status, nobodys.body)
			}
		}
		if a := h.post("subscribe", example, "X-Tenant", tenant); a.status != 404 {
			t.Errorf("%q subscribes under an id of acme's: got %d, want 404", tenant, a.status)
		}
		if got := h.post("list", `{"page_size":5}`, "X-Tenant", tenant).body; !strings.Contains(got, `"data":[]`) || !strings.Contains(got, `"total":0`) {
			t.Errorf("%q lists: got %s, want nothing", tenant, got)
		}
	}
	if after := h.stored(id1); normal(after) != normal(before) || !after.UpdatedAt.Equal(before.UpdatedAt) || after.Tenant != "acme" {
		t.Errorf("got %s, changed from %s", normal(after), normal(before))
	}
	if got := h.must("info", `{"id":"`+id1+`"}`, "X-Tenant", "acme"); *got.ID != id1 {
		t.Errorf("acme: got %s, want its own webhook", *got.ID)
	}
	if got := decode[list](t, h.post("list", "", "X-Tenant", "acme")); len(got.Data) != 1 {
		t.Errorf("acme lists: got %d webhooks, want its own", len(got.Data))
	}
}
