package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// formOf returns the fields of the form of a page that is posted to an action, as a browser sends
// them.
func formOf(t *testing.T, page, action string) url.Values {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var values url.Values
	for n := range root.Descendants() {
		if n.Data != "form" || attribute(n, "action") != action {
			continue
		}
		values = url.Values{}
		for field := range n.Descendants() {
			name := attribute(field, "name")
			switch {
			case name == "":
			case field.Data == "textarea":
				text := ""
				if field.FirstChild != nil {
					text = field.FirstChild.Data
				}
				values.Add(name, text)
			case field.Data == "input" &&
				(attribute(field, "type") != "checkbox" || has(field, "checked")):
				values.Add(name, attribute(field, "value"))
			}
		}
	}
	if values == nil {
		t.Fatalf("the page has no form for %s: %s", action, page)
	}
	return values
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// A form that comes back with a mistake shows no value, so what is submitted from it asks for those
// that were entered, and does not save something else.
func TestFormAsksForValuesAgain(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	form := formOf(t, h.must("edit?id="+sub.ID, "X-Tenant", "acme"), "edit")
	form["hv"][0] = "entered"
	form.Set("url", "not a url")
	a := h.do(http.MethodPost, "edit", form, "X-Tenant", "acme")
	if a.StatusCode != http.StatusUnprocessableEntity || a.shows("entered") {
		t.Fatalf("got %d %s, want 422 without values", a.StatusCode, a.body)
	}
	form = formOf(t, a.body, "edit")
	form.Set("url", sub.URL)
	a = h.do(http.MethodPost, "edit", form, "X-Tenant", "acme")
	if a.StatusCode != http.StatusUnprocessableEntity || !a.shows("X-Token its value again.") {
		t.Errorf("got %d %s, want the value to be asked for", a.StatusCode, a.body)
	}
	form = formOf(t, a.body, "edit")
	form["hv"][0] = "second"
	h.post("edit", form, "X-Tenant", "acme")
	now, err := h.d.Subscription(t.Context(), sub.ID)
	if err != nil || now.Headers["X-Token"] != "second" {
		t.Errorf("got %v, %v, want what was entered last", now.Headers, err)
	}

	form = formOf(t, h.must("new", "X-Tenant", "acme"), "new")
	form.Set("url", "https://shop.example/in")
	form["hn"][0] = "X-Empty"
	a = h.do(http.MethodPost, "new", form, "X-Tenant", "acme")
	if a.StatusCode != http.StatusUnprocessableEntity || !a.shows("Give X-Empty its value again.") {
		t.Errorf("a new header without a value: got %d %s, want 422", a.StatusCode, a.body)
	}
}

// Who may edit gets no stored value by a server of his own that a test is sent to.
func TestValuesStayWithTheirServer(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	for _, address := range []string{"https://own.example/in", "https://crm.example:8443/in",
		"https://crm.example.own.example/in?token=canary-query"} {
		form := formOf(t, h.must("edit?id="+sub.ID, "X-Tenant", "acme"), "edit")
		form.Set("url", address)
		a := h.do(http.MethodPost, "edit", form, "X-Tenant", "acme")
		if a.StatusCode != http.StatusUnprocessableEntity ||
			!a.shows("Give X-Token its value again: the address has changed.") {
			t.Errorf("%s: got %d %s, want the value to be asked for", address, a.StatusCode, a.body)
		}
		form.Set("url", "https://crm.example/other") // the same server
		h.post("edit", form, "X-Tenant", "acme")
	}
	form := formOf(t, h.must("edit?id="+sub.ID, "X-Tenant", "acme"), "edit")
	form.Set("url", "https://CRM.example:443/third")
	h.post("edit", form, "X-Tenant", "acme")
	form.Set("url", "https://own.example/in")
	form["hv"][0] = "entered"
	h.post("edit", form, "X-Tenant", "acme")
	now, err := h.d.Subscription(t.Context(), sub.ID)
	if err != nil || now.Headers["X-Token"] != "entered" {
		t.Errorf("got %v, %v, want what was entered", now.Headers, err)
	}
}

// The form of a new webhook adds one, however often it is sent.
func TestAddOnce(t *testing.T) {
	h := newHost(t, nil, nil)
	form := formOf(t, h.must("new", "X-Tenant", "acme"), "new")
	form.Set("url", "not a url")
	a := h.do(http.MethodPost, "new", form, "X-Tenant", "acme")
	form = formOf(t, a.body, "new")
	form.Set("url", "https://shop.example/in")
	h.post("new", form, "X-Tenant", "acme")
	page, err := h.d.Subscriptions(t.Context(), store.SubscriptionQuery{Tenant: "acme"})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("got %v, %v, want one webhook", page.Items, err)
	}
	key := page.Items[0].Secrets[0]
	if got, want := h.post("new", form, "X-Tenant", "acme"),
		"webhook?id="+page.Items[0].ID; got != want {
		t.Errorf("the same form again: got %s, want %s", got, want)
	}
	now, err := h.d.Subscription(t.Context(), page.Items[0].ID)
	if err != nil || now.Secrets[0] != key {
		t.Errorf("the same form again: got another key, %v", err)
	}
	if a := h.do(http.MethodPost, "new", form, "X-Tenant", "globex"); a.StatusCode != 404 {
		t.Errorf("by another tenant: got %d, want 404", a.StatusCode)
	}
}

// The description and the labels of a webhook are entered, shown and kept; a label that is none
// comes back with what is wrong, and a request without these fields leaves them.
func TestFormLabels(t *testing.T) {
	h := newHost(t, nil, nil)
	id := h.subscribe("acme", "crm").ID
	form := formOf(t, h.must("edit?id="+id, "X-Tenant", "acme"), "edit")
	form.Set("description", " for <people>\r\nof two lines ")
	form.Set("metadata", "team = billing = all\r\n\r\nregion=eu\n")
	h.post("edit", form, "X-Tenant", "acme")
	stored := func(what string) {
		t.Helper()
		sub, err := h.d.Subscription(t.Context(), id)
		if err != nil || sub.Description != "for <people>\nof two lines" || len(sub.Metadata) != 2 ||
			sub.Metadata["team"] != "billing = all" || sub.Metadata["region"] != "eu" {
			t.Errorf("%s: stored %q and %q, %v", what, sub.Description, sub.Metadata, err)
		}
	}
	stored("as entered")
	page := h.must("webhook?id="+id, "X-Tenant", "acme")
	for _, want := range []string{"for &lt;people&gt;", "team = billing = all", "region = eu"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page of the webhook: %s", want, page)
		}
	}
	form = formOf(t, h.must("edit?id="+id, "X-Tenant", "acme"), "edit")
	h.post("edit", form, "X-Tenant", "acme")
	stored("as shown")
	form.Del("description")
	form.Del("metadata")
	h.post("edit", form, "X-Tenant", "acme")
	stored("without these fields")
	for metadata, want := range map[string]string{
		"team": "key = value", "=x": "key = value", "a = 1\na = 2": "twice", "a b = c": "character",
		strings.Repeat("a", 65) + "=": "64 characters",
	} {
		form.Set("description", "x")
		form.Set("metadata", metadata)
		a := h.do(http.MethodPost, "edit", form, "X-Tenant", "acme")
		if a.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(a.body, want) ||
			!strings.Contains(a.body, "metadata-error") {
			t.Errorf("%q: got %d %s, want 422 with %q at the field", metadata, a.StatusCode, a.body, want)
		}
	}
	stored("after mistakes")
}

// Each family of the catalogue can be chosen, and each pattern says what it matches.
func TestPatternsSayWhatTheyMatch(t *testing.T) {
	h := newHost(t, nil, &dispatcher.Options{EventTypes: []events.Type{
		{Name: "order.created"}, {Name: "order.item.added"}, {Name: "order.item.removed"},
		{Name: "user.created"},
	}})
	page := h.get("new", "X-Tenant", "acme")
	for _, want := range []string{
		"order.* order.created, order.item.added, order.item.removed",
		"order.item.* order.item.added, order.item.removed",
	} {
		if !strings.Contains(words(t, page.body), want) {
			t.Errorf("got %s, want %q", page.body, want)
		}
	}
	if strings.Contains(page.body, `value="user.*"`) {
		t.Errorf("got %s, want no family of one type", page.body)
	}
	form := formOf(t, page.body, "new")
	form.Set("url", "https://shop.example/in")
	form["type"] = []string{"order.item.*", "order.created"}
	form.Set("patterns", "user.*")
	h.post("new", form, "X-Tenant", "acme")
	all, err := h.d.Subscriptions(t.Context(), store.SubscriptionQuery{Tenant: "acme"})
	if err != nil || len(all.Items) != 1 ||
		strings.Join(all.Items[0].Events, " ") != "order.item.* order.created user.*" {
		t.Fatalf("got %v, %v, want the family, the type and what was written", all.Items, err)
	}
	page = h.get("edit?id="+all.Items[0].ID, "X-Tenant", "acme")
	form = formOf(t, page.body, "edit")
	if got := strings.Join(form["type"], " "); got != "order.created order.item.*" ||
		form.Get("patterns") != "user.*" ||
		!strings.Contains(words(t, page.body), "user.* matches user.created.") {
		t.Errorf("got %v and %s, want what was chosen, and what was written with what it matches", form,
			page.body)
	}
}

// words returns the text of a page with single blanks.
func words(t *testing.T, page string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
