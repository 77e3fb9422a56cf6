package httpapi_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/store/memstore"
)

func newDispatcher(t testing.TB) *dispatcher.Dispatcher {
	t.Helper()
	// as in Airy, whose keys may be as short
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{MinSecret: 1})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestMissingArguments(t *testing.T) {
	d, mux := newDispatcher(t), http.NewServeMux()
	viaHandler := func(d *dispatcher.Dispatcher, auth httpapi.Authorizer, o *httpapi.Options) error {
		h, err := httpapi.Handler(d, auth, o)
		if (h == nil) != (err != nil) {
			t.Errorf("got a handler %v with the error %v", h, err)
		}
		return err
	}
	for _, test := range []struct {
		name  string
		err   error
		field string
	}{
		{"no mux", httpapi.Mount(nil, d, httpapi.NoAuth, nil), "mux"},
		{"no dispatcher", httpapi.Mount(mux, nil, httpapi.NoAuth, nil), "d"},
		{"no authorizer", httpapi.Mount(mux, d, nil, nil), "auth"},
		{"a handler without dispatcher", viaHandler(nil, httpapi.NoAuth, nil), "d"},
		{"a handler without authorizer", viaHandler(d, nil, nil), "auth"},
		{"a handler with a bad prefix", viaHandler(d, httpapi.NoAuth, &httpapi.Options{Prefix: "x"}),
			"Prefix"},
	} {
		var invalid *events.InvalidError
		if !errors.As(test.err, &invalid) || invalid.Field != test.field {
			t.Errorf("%s: got %v, want an InvalidError naming %s", test.name, test.err, test.field)
		}
	}
	if err := httpapi.Mount(mux, d, httpapi.NoAuth, nil); err != nil {
		t.Errorf("after failures that registered nothing: got %v, want none", err)
	}
}

func TestPrefix(t *testing.T) {
	for _, prefix := range []string{"api", "/", "/api/", "//api", "/a//b", "/a/../b", "/a/.",
		"/{tenant}", "/a b", "/ü", "/a%20", "/a?b", "/a#b", `/a\b`, "/a\n", "POST /a", "example.com/a"} {
		err := httpapi.Mount(http.NewServeMux(), newDispatcher(t), httpapi.NoAuth,
			&httpapi.Options{Prefix: prefix})
		var invalid *events.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != "Prefix" {
			t.Errorf("%q: got %v, want an InvalidError naming Prefix", prefix, err)
		}
	}
	for _, prefix := range []string{"", "/api", "/api/v1.2/~me_-"} {
		mux, d, o := http.NewServeMux(), newDispatcher(t), &httpapi.Options{Prefix: prefix}
		if err := httpapi.Mount(mux, d, httpapi.NoAuth, o); err != nil {
			t.Errorf("%q: %v", prefix, err)
			continue
		}
		handler, err := httpapi.Handler(d, httpapi.NoAuth, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range []http.Handler{mux, handler} {
			for path, want := range map[string]int{prefix + "/webhooks.list": 200,
				prefix + "/webhooks.other": 404, "/other/webhooks.list": 404, prefix + "/webhooks.list/": 404} {
				if got := serve(h, "POST", path).Code; got != want {
					t.Errorf("prefix %q, %T, %s: got %d, want %d", prefix, h, path, got, want)
				}
			}
		}
	}
}

func serve(h http.Handler, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

// The endpoints go with a host's catch-all routes, whichever is registered first, and take
// precedence.
func TestBesideHostRoutes(t *testing.T) {
	teapot := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
	})
	for _, pattern := range []string{"/", "GET /", "POST /", "/{page}", "POST /{page}",
		"GET /{page...}", "/webhooks.list"} {
		for _, hostFirst := range []bool{true, false} {
			mux := http.NewServeMux()
			if hostFirst {
				mux.Handle(pattern, teapot)
			}
			if err := httpapi.Mount(mux, newDispatcher(t), httpapi.NoAuth, nil); err != nil {
				t.Errorf("beside %s: %v", pattern, err)
				continue
			}
			if !hostFirst {
				mux.Handle(pattern, teapot)
			}
			if got := serve(mux, "POST", "/webhooks.list").Code; got != 200 {
				t.Errorf("beside %s: POST got %d, want 200", pattern, got)
			}
			if w := serve(mux, "GET", "/webhooks.list"); w.Code != 405 || w.Header().Get("Allow") != "POST" {
				t.Errorf("beside %s: GET got %d, Allow %q; want 405, POST", pattern, w.Code,
					w.Header().Get("Allow"))
			}
		}
	}
}

func TestConflict(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhooks.update", func(http.ResponseWriter, *http.Request) {})
	err := httpapi.Mount(mux, newDispatcher(t), httpapi.NoAuth, nil)
	if err == nil || !strings.Contains(err.Error(), "POST /webhooks.update") {
		t.Errorf("got %v, want an error that names the route", err)
	}
	mux = http.NewServeMux()
	if err := httpapi.Mount(mux, newDispatcher(t), httpapi.NoAuth, nil); err != nil {
		t.Fatal(err)
	}
	if err := httpapi.Mount(mux, newDispatcher(t), httpapi.NoAuth, nil); err == nil {
		t.Error("mounted twice: got no error")
	}
	if err := httpapi.Mount(mux, newDispatcher(t), httpapi.NoAuth,
		&httpapi.Options{Prefix: "/v2"}); err != nil {
		t.Errorf("mounted twice under different prefixes: %v", err)
	}
}

// A handler of its own answers each request with JSON, also of methods that nobody has heard
// of.
func TestHandler(t *testing.T) {
	h, err := httpapi.Handler(newDispatcher(t), httpapi.NoAuth, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		method, path string
		want         int
	}{
		{"POST", "/webhooks.list", 200},
		{"GET", "/webhooks.list", 405},
		{"CONNECT", "/webhooks.list", 405},
		{"BREW", "/webhooks.list", 405},
		{"post", "/webhooks.list", 405},
		{"POST", "/", 404},
		{"POST", "/webhooks.unknown", 404},
		{"POST", "/WEBHOOKS.LIST", 404},
		{"GET", "/favicon.ico", 404},
	} {
		w := serve(h, test.method, test.path)
		if w.Code != test.want || w.Header().Get("Content-Type") != "application/json" ||
			!strings.HasPrefix(w.Body.String(), "{") {
			t.Errorf("%s %s: got %d %s %s, want %d and JSON", test.method, test.path, w.Code,
				w.Header().Get("Content-Type"), w.Body, test.want)
		}
	}
}

func TestHTTP2(t *testing.T) {
	h, err := httpapi.Handler(newDispatcher(t), httpapi.NoAuth, nil)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(h)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	for _, test := range []struct {
		endpoint, body string
		want           int
	}{{"subscribe", example, 200}, {"list", "", 200}, {"info", "{", 400}, {"info",
		strings.Repeat(" ", 300<<10), 413}} {
		resp, err := server.Client().Post(server.URL+"/webhooks."+test.endpoint, "application/json",
			strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.ProtoMajor != 2 || resp.StatusCode != test.want {
			t.Errorf("%s: got HTTP/%d %d, want HTTP/2 %d", test.endpoint, resp.ProtoMajor, resp.StatusCode,
				test.want)
		}
	}
}

// Options are copied: what the host does to them later changes nothing.
func TestOptionsCopied(t *testing.T) {
	o := &httpapi.Options{Prefix: "/a"}
	h, err := httpapi.Handler(newDispatcher(t), httpapi.NoAuth, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Prefix, o.Ready = "/b", func() error { return errors.New("no") }
	if got := serve(h, "POST", "/a/webhooks.list").Code; got != 200 {
		t.Errorf("got %d, want 200 under the prefix of before", got)
	}
}
