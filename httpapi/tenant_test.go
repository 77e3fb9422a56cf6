package httpapi_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// To another tenant, a webhook is one that does not exist: the same answers to the byte, and
// nothing changes.
func TestTenantsIsolated(t *testing.T) {
	h := newHost(t, config{})
	h.prepare("X-Tenant", "acme")
	before := h.stored(id1)
	for _, tenant := range []string{"", "globex", "ACME", "acme2"} {
		for _, test := range []struct{ endpoint, body string }{
			{"info", `{"id":"ID"}`},
			{"unsubscribe", `{"id":"ID"}`},
			{"update", `{"id":"ID"}`},
			{"update", `{"id":"ID","url":"https://evil.example/","signature_key":"evil"}`},
			{"update", `{"id":"ID","url":"not a url"}`},
			{"update", `{"id":"ID","status":"Unsubscribed"}`},
			{"pause", `{"id":"ID"}`},
			{"resume", `{"id":"ID"}`},
			{"delete", `{"id":"ID"}`},
			{"rotate", `{"id":"ID"}`},
			{"rotate", `{"id":"ID","signature_key":"evil","overlap_seconds":0}`},
			{"ping", `{"id":"ID"}`},
			{"verify", `{"id":"ID"}`},
			{"poll", `{"id":"ID"}`},
			{"update", `{"id":"ID","poll":true}`},
			{"stats", `{"id":"ID"}`},
			{"figures", `{"id":"ID"}`},
			{"figures", `{"id":"ID","resolution":"hour"}`},
			{"deliveries", `{"webhook_id":"ID"}`},
			{"deliveries", `{"webhook_id":"ID","class":"timeout","status":"5xx","key":"k"}`},
			{"attempts", `{"webhook_id":"ID","event_id":"` + event1 + `"}`},
			{"redeliver", `{"webhook_id":"ID","event_id":"` + event1 + `"}`},
			{"replay", `{"webhook_id":"ID","state":"pending"}`},
			{"replay", `{"webhook_id":"ID","dry_run":true}`},
			{"replay", `{"webhook_id":"ID","page_size":5}`},
		} {
			theirs := h.post(test.endpoint, strings.ReplaceAll(test.body, "ID", id1), "X-Tenant", tenant)
			nobodys := h.post(test.endpoint, strings.ReplaceAll(test.body, "ID", id2), "X-Tenant", tenant)
			if theirs.status != 404 || theirs.body != nobodys.body || nobodys.status != 404 {
				t.Errorf("%q %s %s: got %d %s, and for an unknown id %d %s; want the same 404", tenant,
					test.endpoint, test.body,
					theirs.status, theirs.body, nobodys.status, nobodys.body)
			}
		}
		if a := h.post("subscribe", example, "X-Tenant", tenant); a.status != 404 {
			t.Errorf("%q subscribes under an id of acme's: got %d, want 404", tenant, a.status)
		}
		if got := h.post("list", `{"page_size":5}`, "X-Tenant", tenant).body; !strings.Contains(got,
			`"data":[]`) || !strings.Contains(got, `"total":0`) {
			t.Errorf("%q lists: got %s, want nothing", tenant, got)
		}
		if got, want := h.post("deliveries", "", "X-Tenant", tenant).body,
			`{"data":[],"pagination_data":{"previous_cursor":"","next_cursor":""}}`; got != want {
			t.Errorf("%q asks for all deliveries: got %s, want %s", tenant, got, want)
		}
		for _, body := range []string{`{"state":["pending","delivered","dead","canceled"]}`,
			`{"state":"pending","dry_run":true}`} {
			if got, want := h.post("replay", body, "X-Tenant", tenant).body, `{"count":0}`; got != want {
				t.Errorf("%q replays %s: got %s, want %s", tenant, body, got, want)
			}
		}
	}
	if after := h.stored(id1); normal(after) != normal(before) ||
		!after.UpdatedAt.Equal(before.UpdatedAt) || after.Tenant != "acme" {
		t.Errorf("got %s, changed from %s", normal(after), normal(before))
	}
	if got := h.must("info", `{"id":"`+id1+`"}`, "X-Tenant", "acme"); *got.ID != id1 {
		t.Errorf("acme: got %s, want its own webhook", *got.ID)
	}
	if got := decode[list](t, h.post("list", "", "X-Tenant", "acme")); len(got.Data) != 1 {
		t.Errorf("acme lists: got %d webhooks, want its own", len(got.Data))
	}
	if got := decode[deliveries](t,
		h.post("deliveries", "", "X-Tenant", "acme")); len(got.Data) != 1 ||
		got.Data[0].EventID != event1 {
		t.Errorf("acme asks for all deliveries: got %+v, want its own", got.Data)
	}
}

// Each endpoint that takes the id of a webhook answers a tenant about another's as about one that
// does not exist, to the byte and in every header, whatever else the request says.
func TestTenantsIsolatedEverywhere(t *testing.T) {
	h := newHost(t, config{})
	h.prepare("X-Tenant", "acme")
	before := h.stored(id1)
	asked := 0
	for _, endpoint := range endpoints {
		theirs := valid(endpoint)
		nobodys := strings.ReplaceAll(theirs, id1, id2)
		if theirs == nobodys || endpoint == "subscribe" { // which makes a webhook of an unknown id
			continue
		}
		asked++
		a := h.post(endpoint, theirs, "X-Tenant", "globex")
		b := h.post(endpoint, nobodys, "X-Tenant", "globex")
		for _, header := range []http.Header{a.header, b.header} {
			header.Del("Date")
		}
		if a.status != 404 || b.status != 404 || a.body != b.body ||
			!reflect.DeepEqual(a.header, b.header) {
			t.Errorf("%s: got %d %v %s, and for an unknown id %d %v %s; want the same 404", endpoint,
				a.status,
				a.header, a.body, b.status, b.header, b.body)
		}
	}
	if asked < 10 {
		t.Errorf("only %d endpoints took an id", asked)
	}
	if after := h.stored(id1); normal(after) != normal(before) ||
		!after.UpdatedAt.Equal(before.UpdatedAt) {
		t.Errorf("got %s, changed from %s", normal(after), normal(before))
	}
}

// That others may name a tenant, a tenant can't tell: the field is as unknown as any other, and
// none of its responses has it.
func TestTenantIsNoFieldOfTenants(t *testing.T) {
	h := newHost(t, everything())
	h.prepare("X-Tenant", "acme")
	for _, endpoint := range endpoints {
		a := h.post(endpoint, `{"tenant":"acme"}`, "X-Tenant", "acme")
		b := h.post(endpoint, `{"tenent":"acme"}`, "X-Tenant", "acme")
		if a.status != 400 || strings.Replace(a.body, "tenant", "tenent", 1) != b.body {
			t.Errorf("%s: got %d %s, and for an unknown field %d %s", endpoint, a.status, a.body, b.status,
				b.body)
		}
		if a := h.post(endpoint, valid(endpoint), "X-Tenant", "acme"); a.status != 200 ||
			strings.Contains(a.body, "tenant") || strings.Contains(a.body, "acme") {
			t.Errorf("%s: got %d %s, want no word of tenants", endpoint, a.status, a.body)
		}
	}
}

// With a webhook of its own, a tenant gets at no event, delivery or page of another's.
func TestTenantsIsolatedBehindOwnWebhook(t *testing.T) {
	h := newHost(t, config{})
	h.prepare("X-Tenant", "acme")
	h.must("subscribe", `{"id":"`+id2+`","url":"https://endpoint.example/"}`, "X-Tenant", "globex")
	// so that there are two pages
	h.must("subscribe", `{"url":"https://endpoint.example/"}`, "X-Tenant", "acme")
	e, err := events.New("message.created", "hello")
	if err != nil {
		t.Fatal(err)
	}
	e.Tenant = "acme"
	if err := h.d.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}

	for _, endpoint := range []string{"attempts", "redeliver"} {
		theirs := h.post(endpoint, `{"webhook_id":"`+id2+`","event_id":"`+event1+`"}`, "X-Tenant",
			"globex")
		nobodys := h.post(endpoint, `{"webhook_id":"`+id2+`","event_id":"nobodys"}`, "X-Tenant", "globex")
		if theirs.status != 404 || theirs.body != nobodys.body || nobodys.status != 404 {
			t.Errorf("%s of an event of acme's: got %d %s, and of nobody's %d %s; want the same 404",
				endpoint, theirs.status, theirs.body, nobodys.status, nobodys.body)
		}
	}
	for _, filter := range []string{`"event_id":"` + event1 + `"`,
		`"webhook_id":"` + id2 + `","event_id":"` + event1 + `"`, `"state":"pending"`} {
		if got := decode[deliveries](t,
			h.post("deliveries", `{`+filter+`,"count":true}`, "X-Tenant", "globex")); len(got.Data) != 0 ||
			*got.Pagination.Total != 0 {
			t.Errorf("deliveries {%s}: got %+v, want none", filter, got.Data)
		}
		for _, how := range []string{`true`, `false`} {
			if got, want := h.post("replay", `{`+filter+`,"dry_run":`+how+`}`, "X-Tenant", "globex").body,
				`{"count":0}`; got != want {
				t.Errorf("replay {%s}: got %s, want %s", filter, got, want)
			}
		}
	}
	for _, endpoint := range []string{"list", "deliveries"} {
		var page struct {
			Pagination struct {
				Next string `json:"next_cursor"`
			} `json:"pagination_data"`
		}
		first := h.post(endpoint, `{"page_size":1}`, "X-Tenant", "acme")
		if err := json.Unmarshal([]byte(first.body), &page); err != nil || page.Pagination.Next == "" {
			t.Fatalf("%s of acme: got %s, want a page that is not the last", endpoint, first.body)
		}
		a := h.post(endpoint, `{"cursor":"`+page.Pagination.Next+`"}`, "X-Tenant", "globex")
		if strings.Contains(a.body, id1) || strings.Contains(a.body, event1) ||
			strings.Contains(a.body, e.ID) || a.status != 200 {
			t.Errorf("%s from a cursor of acme's: got %d %s, want nothing of acme's", endpoint, a.status,
				a.body)
		}
	}
}

// TestTenantsShareIDs has two tenants publish events with the same ID: each gets at its own alone.
func TestTenantsShareIDs(t *testing.T) {
	h := newHost(t, config{})
	for tenant, id := range map[string]string{"acme": id1, "globex": id2} {
		h.must("subscribe", `{"id":"`+id+`","url":"https://endpoint.example/"}`, "X-Tenant", tenant)
		e, err := events.New("message.created", tenant)
		if err != nil {
			t.Fatal(err)
		}
		e.ID, e.Tenant = "invoice-1001", tenant
		if err := h.d.Publish(t.Context(), e); err != nil {
			t.Fatalf("%s publishes an ID that another has: %v", tenant, err)
		}
	}
	h.attempt(store.Dead, failed)
	const byID = `"event_id":"invoice-1001"`
	state := func(tenant string) string {
		t.Helper()
		got := decode[deliveries](t, h.post("deliveries", `{`+byID+`,"count":true}`, "X-Tenant", tenant))
		if len(got.Data) != 1 || *got.Pagination.Total != 1 {
			t.Fatalf("%s asks for the ID: got %+v, want its own delivery", tenant, got)
		}
		return got.Data[0].State
	}
	if got := h.post("replay", `{`+byID+`}`, "X-Tenant", "acme").body; got != `{"count":1}` {
		t.Errorf("acme replays the ID: got %s, want its own", got)
	}
	if mine, theirs := state("acme"), state("globex"); mine != "pending" || theirs != "dead" {
		t.Errorf("after acme's replay: its delivery is %s and globex's %s", mine, theirs)
	}
	a := h.post("attempts", `{"webhook_id":"`+id2+`",`+byID+`}`, "X-Tenant", "acme")
	if a.status != 404 {
		t.Errorf("acme asks for attempts of globex's webhook: got %d %s, want 404", a.status, a.body)
	}
	a = h.post("redeliver", `{"webhook_id":"`+id2+`",`+byID+`}`, "X-Tenant", "globex")
	if a.status != 200 || state("globex") != "pending" {
		t.Errorf("globex redelivers the ID: got %d %s, and it is %s", a.status, a.body, state("globex"))
	}
}
