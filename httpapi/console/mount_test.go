package console_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console"
)

// The console works wherever it is mounted, and is told nothing of it: from its first page, all
// links lead to pages.
func TestMounts(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	h.publish("acme", "order-1", `{}`)
	operator := func(*http.Request) (console.Access, error) {
		return console.Access{AnyTenant: true, May: console.MayAll}, nil
	}
	handler, err := console.Handler(h.d, operator, nil)
	if err != nil {
		t.Fatal(err)
	}
	mount := func(path string) *http.ServeMux {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /", http.NotFound) // the host's own catch-all
		if path == "/" {
			mux = http.NewServeMux()
		}
		if err := console.Mount(mux, path, h.d, operator, nil); err != nil {
			t.Fatal(err)
		}
		return mux
	}
	// proxy passes what is below a path of the browser's on to another path of the host.
	proxy := func(outer, inner string, host http.Handler) http.Handler {
		server := httptest.NewServer(host)
		t.Cleanup(server.Close)
		to, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
			r.Out.URL.Path = inner + strings.TrimPrefix(r.In.URL.Path, outer)
		}}
	}
	strip := http.NewServeMux()
	strip.Handle("/a/b/", http.StripPrefix("/a/b", handler))
	stripped := http.NewServeMux()
	stripped.Handle("/a/b", http.StripPrefix("/a/b", handler))
	stripped.Handle("/a/b/", http.StripPrefix("/a/b", handler))
	tests := []struct {
		name    string
		handler http.Handler
		first   string // the URL that somebody enters
	}{
		{"root", mount("/"), "/"},
		{"path", mount("/admin/hooks/"), "/admin/hooks/"},
		{"path without a slash", mount("/admin/hooks"), "/admin/hooks"},
		{"StripPrefix", strip, "/a/b/"},
		{"StripPrefix without a slash", stripped, "/a/b"},
		{"a router that keeps the prefix", handler, "/a/b/"},
		{"a router that keeps the prefix, without a slash", handler, "/a/b"},
		{"a proxy that removes a prefix", proxy("/x/y", "", mount("/")), "/x/y/"},
		{"a proxy that changes a prefix", proxy("/x/y", "/hooks", mount("/hooks/")), "/x/y/"},
		{"a proxy that keeps the prefix", proxy("", "", mount("/hooks/")), "/hooks/"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBrowser(t, test.handler, "")
			seen := map[string]bool{}
			crawl(t, b, test.first, seen)
			for _, want := range []string{
				"webhook?id=" + sub.ID, "delivery?event=order-1&id=" + sub.ID, "new",
				"deliveries", "rotate?id=" + sub.ID,
			} {
				found := false
				for at := range seen {
					found = found || strings.HasSuffix(at, "/"+want)
				}
				if !found {
					t.Errorf("no link led to %s; of %d pages", want, len(seen))
				}
			}
		})
	}
}

// crawl follows all links from a page, and fails for one that leads nowhere.
func crawl(t *testing.T, b *browser, first string, seen map[string]bool) {
	t.Helper()
	queue := []string{b.base + first}
	for len(queue) > 0 && len(seen) < 200 {
		at := queue[0]
		queue = queue[1:]
		if seen[at] {
			continue
		}
		seen[at] = true
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, nil)
		if err != nil {
			t.Fatal(err)
		}
		a := b.do(r)
		base := a.Request.URL // after redirects
		if a.StatusCode != http.StatusOK && base.Path[strings.LastIndex(base.Path, "/")+1:] != "event" {
			t.Errorf("%s: got %d, want 200", at, a.StatusCode)
		}
		if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
			continue
		}
		for _, link := range links(a.body) {
			if link == "" || strings.HasPrefix(link, "#") || postOnly(link) {
				continue
			}
			to, err := base.Parse(link)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(link, "/") || to.Host != base.Host {
				t.Errorf("%s has the link %s, which is not relative", at, link)
			}
			to.Fragment = ""
			queue = append(queue, to.String())
		}
	}
}

// postOnly reports whether a link is the action of a form that is posted.
func postOnly(link string) bool {
	switch link {
	case "test", "enable", "pause", "resume", "redeliver", "edit", "disable", "rotate",
		"delete", "replay", "erase", "example":
		return true
	}
	return false
}

func TestMountBeside(t *testing.T) {
	h := newHost(t, nil, nil)
	who := func(*http.Request) (console.Access, error) { return console.Access{}, nil }
	mux := http.NewServeMux()
	for _, pattern := range []string{"/", "GET /{$}", "POST /admin/other"} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTeapot)
		})
	}
	if err := console.Mount(mux, "/admin/hooks/", h.d, who, nil); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"/admin/hooks/":          200,
		"/admin/hooks/list":      200,
		"/admin/hooks/nothing":   404,
		"/admin/hooks/list/more": 404, // a page has nothing below
		"/admin/hooks/x/":        404,
		"/admin/hooks":           303,
		"/elsewhere":             418,
	} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want {
			t.Errorf("%s: got %d, want %d", path, w.Code, want)
		}
	}
	if err := console.Mount(mux, "/admin/hooks/", h.d, who, nil); err == nil {
		t.Error("mounted twice: got no error")
	}
}

func TestOptionsOutOfBounds(t *testing.T) {
	h := newHost(t, nil, nil)
	who := func(*http.Request) (console.Access, error) { return console.Access{}, nil }
	mux := http.NewServeMux()
	for _, test := range []struct {
		field string
		err   error
	}{
		{"mux", console.Mount(nil, "/x/", h.d, who, nil)},
		{"path", console.Mount(mux, "x/", h.d, who, nil)},
		{"path", console.Mount(mux, "/{x}/", h.d, who, nil)},
		{"path", console.Mount(mux, "GET /x/", h.d, who, nil)},
		{"d", console.Mount(mux, "/x/", nil, who, nil)},
		{"who", console.Mount(mux, "/x/", h.d, nil, nil)},
		{"Accent", console.Mount(mux, "/x/", h.d, who, &console.Options{Accent: "red;}*{"})},
		{"FrameAncestors", console.Mount(mux, "/x/", h.d, who,
			&console.Options{FrameAncestors: []string{"*; script-src *"}})},
		{"FrameAncestors", console.Mount(mux, "/x/", h.d, who,
			&console.Options{FrameAncestors: []string{"app.example"}})},
		{"Back", console.Mount(mux, "/x/", h.d, who, &console.Options{Back: "javascript:alert(1)"})},
		{"Logo", console.Mount(mux, "/x/", h.d, who, &console.Options{Logo: []byte("<html>")})},
		{"Logo", console.Mount(mux, "/x/", h.d, who,
			&console.Options{Logo: make([]byte, console.MaxLogo+1)})},
	} {
		invalid := (*events.InvalidError)(nil)
		if !errors.As(test.err, &invalid) || invalid.Field != test.field {
			t.Errorf("got %v, want an error about %s", test.err, test.field)
		}
	}
	if err := console.Mount(mux, "/x/", h.d, who, nil); err != nil {
		t.Errorf("a refused mount has registered something: %v", err)
	}
}
