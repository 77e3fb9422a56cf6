package httpapi_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/store"
)

// twoTenants has a webhook of acme and one of globex, id1 and id2, with a delivery each of an event
// of the same ID.
func twoTenants(t *testing.T, c config) *host {
	t.Helper()
	h := newHost(t, c)
	for _, w := range []struct{ tenant, id string }{{"acme", id1}, {"globex", id2}} {
		h.must("subscribe", `{"id":"`+w.id+`","url":"https://`+w.tenant+`.example/"}`, "X-Tenant",
			w.tenant)
		e, err := events.New("message.created", w.tenant)
		if err != nil {
			t.Fatal(err)
		}
		e.ID, e.Tenant = event1, w.tenant
		if err := h.d.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

// asOperator sends a request of the operator's. The tenant that the Authorizer returns for it is
// ignored.
func (h *host) asOperator(endpoint, body string) answer {
	h.t.Helper()
	return h.post(endpoint, body, "X-Operator", "yes", "X-Tenant", "operations")
}

// What an operator lists is of every tenant, or of the one that it names, and says whose it is.
func TestOperatorLists(t *testing.T) {
	h := twoTenants(t, config{})
	h.must("subscribe", `{"name":"nobody's","url":"https://endpoint.example/"}`)
	for body, want := range map[string]string{
		``: "acme globex -", `{}`: "acme globex -", `{"page_size":2}`: "acme globex",
		`{"tenant":null}`: "acme globex -", `{"tenant":"acme"}`: "acme", `{"tenant":""}`: "-",
		`{"tenant":"nobody"}`: "", `{"text":"globex","page_size":5}`: "globex",
	} {
		a := h.asOperator("list", body)
		var got []string
		for _, w := range decode[list](t, a).Data {
			if w.Tenant == nil {
				t.Fatalf("list %s: got %s, want a tenant of each", body, a.body)
			}
			got = append(got, orDash(*w.Tenant))
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("list %s: got %q, want %q", body, got, want)
		}
	}
	for body, want := range map[string]string{
		``: "acme globex", `{"tenant":"acme"}`: "acme", `{"webhook_id":"` + id2 + `"}`: "globex",
		`{"tenant":"acme","webhook_id":"` + id2 + `"}`:                    "",
		`{"tenant":"globex","event_id":"` + event1 + `"}`:                 "globex",
		`{"webhook_id":"` + id1 + `","event_id":"` + event1 + `"}`:        "acme",
		`{"state":"pending","event_type":"message.created","count":true}`: "acme globex",
	} {
		var page struct{ Data []struct{ Tenant *string } }
		a := h.asOperator("deliveries", body)
		if err := json.Unmarshal([]byte(a.body), &page); err != nil || a.status != 200 {
			t.Fatalf("deliveries %s: got %d %s", body, a.status, a.body)
		}
		var got []string
		for _, d := range page.Data {
			got = append(got, *d.Tenant)
		}
		slices.Sort(got)
		if got := strings.Join(got, " "); got != want {
			t.Errorf("deliveries %s: got %q, want %q", body, got, want)
		}
	}
	for _, endpoint := range []string{"deliveries", "replay"} {
		a := h.asOperator(endpoint, `{"event_id":"`+event1+`"}`)
		if text := message(t, a); a.status != 400 || !strings.HasPrefix(text, "event_id ") ||
			!strings.Contains(text, "webhook_id") {
			t.Errorf("%s by an event of any tenant: got %d %s, want 400 that says what to give", endpoint,
				a.status, a.body)
		}
	}
}

func orDash(tenant string) string {
	if tenant == "" {
		return "-"
	}
	return tenant
}

// An operator calls each endpoint for a webhook of any tenant, and the response says whose it is
// where it is about a webhook or a delivery. Nothing changes hands.
func TestOperatorCallsEverything(t *testing.T) {
	h := twoTenants(t, everything())
	about := map[string]bool{"subscribe": true, "update": true, "info": true, "list": true,
		"stats": true, "deliveries": true, "event": true, "test_filter": true, "redeliver": true,
		"pause": true, "resume": true, "unsubscribe": true}
	read := h.must("subscribe", `{"poll":true,"events":["none"]}`, "X-Tenant", "globex")
	for _, endpoint := range endpoints {
		body := strings.ReplaceAll(valid(endpoint), id1, id2)
		if endpoint == "poll" {
			body = strings.ReplaceAll(body, idPoll, *read.ID)
		}
		if endpoint == "event" || endpoint == "test_filter" {
			if a := h.asOperator(endpoint, body); a.status != 400 ||
				!strings.HasPrefix(message(t, a), "tenant ") {
				t.Errorf("an event of any tenant: got %d %s, want 400 that names tenant", a.status, a.body)
			}
			body = strings.Replace(strings.Replace(body, "}", `,"tenant":"globex"}`, 1), "{,", "{", 1)
		}
		a := h.asOperator(endpoint, body)
		if a.status != 200 || strings.Contains(a.body, `"tenant":"globex"`) != about[endpoint] ||
			strings.Contains(a.body, "operations") {
			t.Errorf("%s: got %d %s, want 200 and globex %t", endpoint, a.status, a.body, about[endpoint])
		}
		if endpoint == "subscribe" {
			h.verify(id2, "X-Tenant", "globex")
		}
		if endpoint == "delete" {
			break // the last
		}
		if sub := h.stored(id2); sub.Tenant != "globex" {
			t.Fatalf("after %s the webhook is %q's", endpoint, sub.Tenant)
		}
	}
	if a := h.asOperator("info", `{"id":"`+id2+`"}`); a.status != 404 {
		t.Errorf("what is deleted: got %d, want 404", a.status)
	}
}

// An operator makes webhooks for the tenant that it names; without one, for none.
func TestOperatorSubscribes(t *testing.T) {
	h := twoTenants(t, config{})
	for body, want := range map[string]string{
		`{"url":"https://e.example/"}`:                                      "",
		`{"url":"https://e.example/","tenant":"acme"}`:                      "acme",
		`{"url":"https://e.example/","id":"` + id1 + `"}`:                   "acme",
		`{"url":"https://e.example/","id":"` + id2 + `","tenant":"globex"}`: "globex",
	} {
		a := h.asOperator("subscribe", body)
		if a.status != 200 || !strings.Contains(a.body, `"tenant":"`+want+`"`) {
			t.Errorf("subscribe %s: got %d %s, want 200 and the tenant %q", body, a.status, a.body, want)
		}
	}
	a := h.asOperator("subscribe", `{"url":"https://e.example/","id":"`+id1+`","tenant":"globex"}`)
	if a.status != 404 || h.stored(id1).Tenant != "acme" {
		t.Errorf("acme's webhook for globex: got %d %s, want 404", a.status, a.body)
	}
}

func TestOperatorReplays(t *testing.T) {
	h := twoTenants(t, config{})
	h.attempt(store.Dead, failed)
	for _, test := range []struct{ body, want string }{
		{`{"state":"dead","dry_run":true}`, `{"count":2}`},
		{`{"state":"dead","tenant":"acme"}`, `{"count":1}`},
		{`{"state":"dead"}`, `{"count":1}`},
	} {
		if a := h.asOperator("replay", test.body); a.status != 200 || a.body != test.want {
			t.Errorf("replay %s: got %d %s, want %s", test.body, a.status, a.body, test.want)
		}
	}
}

// The figures of the host are for the operator; a tenant must name a webhook.
func TestOperatorStats(t *testing.T) {
	h := twoTenants(t, config{})
	var got map[string]any
	a := h.asOperator("stats", `{}`)
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != 200 {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	if got["subscriptions"] != 2.0 || got["pending"] != 2.0 || got["oldest_pending_at"] == nil {
		t.Errorf("got %s, want two webhooks and two deliveries", a.body)
	}
	if a := h.post("stats", `{}`, "X-Tenant", "acme"); a.status != 400 {
		t.Errorf("of a tenant: got %d %s, want 400", a.status, a.body)
	}
}

// An error of Access refuses a request as one of the Authorizer does.
func TestOperatorRefused(t *testing.T) {
	h := twoTenants(t, config{})
	a := h.post("list", "", "X-Operator", "suspended")
	if a.status != 403 || strings.Contains(a.body, "hunter2") {
		t.Errorf("got %d %s, want 403 without the host's words", a.status, a.body)
	}
}

// The fields that an operator's requests may have are those of its description.
func TestOperatorDescription(t *testing.T) {
	h := newHost(t, config{})
	var d description
	a := h.do(http.MethodGet, "/webhooks.openapi", nil, "X-Operator", "yes")
	if err := json.Unmarshal([]byte(a.body), &d); err != nil || a.status != 200 {
		t.Fatalf("got %d %.200s", a.status, a.body)
	}
	for _, endpoint := range endpoints {
		schema := d.Paths["/webhooks."+endpoint]["post"].RequestBody.Content["application/json"].Schema
		_, takes, _ := strings.Cut(message(t, h.asOperator(endpoint, `{"?":1}`)), "it takes ")
		want := strings.Split(takes, ", ")
		if takes == "none" {
			want = nil
		}
		slices.Sort(want)
		delete(schema.Properties, "signatureKey")
		if got := slices.Sorted(maps.Keys(schema.Properties)); !slices.Equal(got, want) {
			t.Errorf("%s: described with %q, takes %q", endpoint, got, want)
		}
	}
}

// An Access that names another tenant than the Authorizer is the one that counts.
func TestAccessNamesTheTenant(t *testing.T) {
	h := newHost(t, config{api: httpapi.Options{
		Access: func(_ *http.Request, tenant string) (httpapi.Access, error) {
			return httpapi.Access{Tenant: "team of " + tenant}, nil
		},
	}})
	w := h.must("subscribe", `{"url":"https://e.example/"}`, "X-Tenant", "ann")
	if got := h.stored(*w.ID).Tenant; got != "team of ann" {
		t.Errorf("got the tenant %q, want team of ann", got)
	}
}

// An Access that leaves the tenant out is not one to the tenant without a name.
func TestAccessMustNameTheTenant(t *testing.T) {
	h := newHost(t, config{
		api: httpapi.Options{Access: func(*http.Request, string) (httpapi.Access, error) {
			return httpapi.Access{Actor: "grace"}, nil
		}},
	})
	h.must("subscribe", `{"url":"https://endpoint.example/"}`) // of the tenant ""
	a := h.post("list", `{}`, "X-Tenant", "acme")
	if a.status != http.StatusServiceUnavailable || strings.Contains(a.body, "endpoint.example") ||
		!strings.Contains(h.logged.String(), "Options.Access names no tenant") {
		t.Errorf("got %d %s, log %s; want 503 and a log", a.status, a.body, h.logged)
	}
}
