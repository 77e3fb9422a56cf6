package console_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// The form of a webhook takes a filter and fields, says what is wrong beside them, and shows what
// the filter takes of the recent events before anything is saved.
func TestFormOfFilter(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	other := h.subscribe("other", "theirs")
	for i := range 3 {
		h.publish("acme", fmt.Sprint("e", i), fmt.Sprintf(`{"total":%d,"note":"n"}`, i*100))
		h.publish("other", fmt.Sprint("o", i), `{"total":100}`)
	}
	edit := formOf(t, h.must("edit?id="+sub.ID, "X-Tenant", "acme"), "edit")
	edit.Set("filter", `{"total": {"$min": 100}}`)
	for _, action := range []string{"edit", "try"} {
		a := h.do(http.MethodPost, action, edit, "X-Tenant", "acme")
		if a.StatusCode != http.StatusUnprocessableEntity ||
			!a.shows(`The filter at "/total/$min" is no operator`) || !a.shows(`$min`) {
			t.Errorf("%s: got %d %s, want the filter's error", action, a.StatusCode, a.body)
		}
	}
	edit.Set("filter", `{"total": {"$gte": 100}}`)
	edit.Set("fields", "total\r\n a..b ")
	a := h.do(http.MethodPost, "edit", edit, "X-Tenant", "acme")
	if a.StatusCode != http.StatusUnprocessableEntity ||
		!a.shows("The list of fields has a path with an empty step") {
		t.Errorf("got %d %s, want the error of the fields", a.StatusCode, a.body)
	}
	edit.Set("fields", "total\r\n")
	a = h.do(http.MethodPost, "try", edit, "X-Tenant", "acme")
	if a.StatusCode != http.StatusOK || !a.shows("The filter takes 2 of the last 3 events") ||
		!a.shows("13 of 24 bytes") || !a.shows("refuses it") {
		t.Errorf("got %d %s, want two of three events", a.StatusCode, a.body)
	}
	if now, err := h.d.Subscription(t.Context(), sub.ID); err != nil || now.Filter != "" {
		t.Errorf("a test has saved the filter %q, %v", now.Filter, err)
	}
	h.post("edit", formOf(t, a.body, "edit"), "X-Tenant", "acme")
	now, err := h.d.Subscription(t.Context(), sub.ID)
	if err != nil || now.Filter != `{"total": {"$gte": 100}}` ||
		!slices.Equal(now.Fields, []string{"total"}) {
		t.Errorf("saved: filter %q, fields %q, %v", now.Filter, now.Fields, err)
	}
	page := h.must("webhook?id="+sub.ID, "X-Tenant", "acme")
	if !strings.Contains(page, "$gte") || strings.Contains(page, "does not parse") {
		t.Errorf("the page of the webhook does not show its filter: %s", page)
	}

	// Another tenant's events can't be tried by naming its webhook, or its name.
	edit.Set("id", other.ID)
	a = h.do(http.MethodPost, "try", edit, "X-Tenant", "acme")
	if a.StatusCode != http.StatusNotFound {
		t.Errorf("another's webhook: got %d, want 404", a.StatusCode)
	}
	edit.Del("id")
	edit.Set("tenant", "other")
	edit.Set("filter", "")
	if a := h.do(http.MethodPost, "try", edit, "X-Tenant", "acme"); !a.shows("takes 3 of the last 3") {
		t.Errorf("another's tenant: got %d %s, want one's own events", a.StatusCode, a.body)
	}
}
