package httpapi_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi"
)

// description is as much of an OpenAPI description as these tests look at. That it is a valid one,
// and that requests and responses are as it says, is tested in the module openapitest.
type description struct {
	OpenAPI string
	Info    struct{ Version string }
	Servers []struct{ URL string }
	Paths   map[string]map[string]struct {
		RequestBody struct {
			Content map[string]struct {
				Schema struct {
					Properties           map[string]any
					AdditionalProperties *bool
				}
			}
		}
	}
}

func describe(t *testing.T, h *host, path string) description {
	t.Helper()
	a := h.do(http.MethodGet, path, nil, "Content-Type", "-")
	if a.status != 200 || a.header.Get("Content-Type") != "application/json" {
		t.Fatalf("got %d %.200s, want 200 and JSON", a.status, a.body)
	}
	var d description
	if err := json.Unmarshal([]byte(a.body), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// The description names every endpoint, with its method, and nothing else.
func TestDescriptionNamesEndpoints(t *testing.T) {
	h := newHost(t, config{})
	d := describe(t, h, "/webhooks.openapi")
	want := []string{"get /webhooks.asyncapi", "get /webhooks.openapi"}
	for _, endpoint := range endpoints {
		want = append(want, "post /webhooks."+endpoint)
	}
	var got []string
	for path, operations := range d.Paths {
		for method := range operations {
			got = append(got, method+" "+path)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if d.OpenAPI != "3.1.0" || d.Info.Version != dispatcher.Version {
		t.Errorf("got OpenAPI %s of version %s, want 3.1.0 of %s", d.OpenAPI, d.Info.Version,
			dispatcher.Version)
	}
	none, err := httpapi.Handler(h.d, httpapi.NoAuth, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, operation := range want { // as does the 404 of a handler
		_, path, _ := strings.Cut(operation, " /")
		if got := serve(none, "POST", "/x").Body.String(); !strings.Contains(got, path) {
			t.Errorf("got %s, want it to name %s", got, path)
		}
	}
}

// The fields of every request are those that the endpoint takes.
func TestDescriptionFields(t *testing.T) {
	h := newHost(t, config{})
	d := describe(t, h, "/webhooks.openapi")
	for _, endpoint := range endpoints {
		schema := d.Paths["/webhooks."+endpoint]["post"].RequestBody.Content["application/json"].Schema
		if schema.AdditionalProperties == nil || *schema.AdditionalProperties {
			t.Errorf("%s: other fields are described as taken", endpoint)
		}
		_, takes, _ := strings.Cut(message(t, h.post(endpoint, `{"?":1}`)), "it takes ")
		want := strings.Split(takes, ", ")
		if takes == "none" {
			want = nil
		}
		slices.Sort(want)
		delete(schema.Properties, "signatureKey") // which messages leave out
		if got := slices.Sorted(maps.Keys(schema.Properties)); !slices.Equal(got, want) {
			t.Errorf("%s: described with %q, takes %q", endpoint, got, want)
		}
	}
}

func TestDescriptionServer(t *testing.T) {
	for prefix, want := range map[string]string{"": "/", "/api": "/api", `/a"b`: `/a"b`} {
		h := newHost(t, config{api: httpapi.Options{Prefix: prefix}})
		d := describe(t, h, prefix+"/webhooks.openapi")
		if len(d.Servers) != 1 || d.Servers[0].URL != want {
			t.Errorf("under %q: got the servers %v, want %s", prefix, d.Servers, want)
		}
	}
}

// The descriptions are for those who may call the endpoints, the same for each, and read by GET and
// HEAD alone.
func TestDescriptionRequest(t *testing.T) {
	h := newHost(t, config{})
	for _, path := range []string{"/webhooks.openapi", "/webhooks.asyncapi"} {
		bodies := make(map[string]bool)
		for _, tenant := range []string{"", "acme"} {
			bodies[h.do(http.MethodGet, path, nil, "X-Tenant", tenant).body] = true
		}
		if len(bodies) != 1 {
			t.Errorf("%s: got %d different descriptions for two tenants, want one", path, len(bodies))
		}
		if a := h.do(http.MethodHead, path, nil); a.status != 200 || a.body != "" {
			t.Errorf("HEAD %s: got %d %s, want 200", path, a.status, a.body)
		}
		if a := h.do(http.MethodGet, path, nil, "X-Tenant", "stranger"); a.status != 403 {
			t.Errorf("%s, a stranger: got %d, want 403", path, a.status)
		}
		for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
			a := h.do(method, path, strings.NewReader("{}"))
			if a.status != 405 || a.header.Get("Allow") != "GET, HEAD" ||
				!strings.Contains(message(t, a), "GET") {
				t.Errorf("%s %s: got %d, Allow %q, %s; want 405 and GET, HEAD", method, path, a.status,
					a.header.Get("Allow"), a.body)
			}
		}
	}
}
