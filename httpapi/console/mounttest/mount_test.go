package mounttest_test

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/gorilla/mux"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/dispatchertest"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console"
)

// host has a webhook and an event.
type host struct {
	d  *dispatcher.Dispatcher
	id string
}

func operator(*http.Request) (console.Access, error) {
	return console.Access{AnyTenant: true, May: console.MayAll}, nil
}

func newHost(t *testing.T) *host {
	t.Helper()
	d, r := dispatchertest.New(t, &dispatcher.Options{EventTypes: []events.Type{
		{Name: "order.created", Example: []byte(`{"order":4711}`)},
	}})
	hook := r.Subscribe()
	if err := d.Publish(t.Context(), events.Event{ID: "order-1", Type: "order.created",
		Time: time.Now(), Payload: []byte(`{}`)}); err != nil {
		t.Fatal(err)
	}
	hook.Next()
	return &host{d, hook.ID}
}

// mounted returns a mux that has the console at a path.
func (h *host) mounted(t *testing.T, path string) *http.ServeMux {
	t.Helper()
	mux := http.NewServeMux()
	if err := console.Mount(mux, path, h.d, operator, nil); err != nil {
		t.Fatal(err)
	}
	return mux
}

// The console works wherever it is mounted, with nothing configured: from the URL that somebody
// enters, with its last slash and without, every page is found by links alone, its files load, and
// forms are sent.
func TestMounts(t *testing.T) {
	h := newHost(t)
	handler, err := console.Handler(h.d, operator, nil)
	if err != nil {
		t.Fatal(err)
	}
	strip := http.NewServeMux()
	strip.Handle("/a/b/", http.StripPrefix("/a/b", handler))

	inChi := chi.NewRouter()
	inChi.Get("/*", http.NotFound) // the host's own
	inChi.Mount("/a/b", handler)
	stripped := chi.NewRouter()
	stripped.Mount("/a/b", http.StripPrefix("/a/b", handler))

	gorilla := mux.NewRouter()
	gorilla.PathPrefix("/a/b").Handler(handler)
	gorilla.PathPrefix("/").HandlerFunc(http.NotFound)
	subrouter := mux.NewRouter()
	subrouter.PathPrefix("/a").Subrouter().PathPrefix("/b").Handler(
		http.StripPrefix("/a/b", handler))

	served := func(handler http.Handler) func(*testing.T) string {
		return func(t *testing.T) string {
			server := httptest.NewServer(handler)
			t.Cleanup(server.Close)
			return server.URL
		}
	}
	both := http.NewServeMux() // what nginx passes on comes to one of these
	both.Handle("/", h.mounted(t, "/"))
	both.Handle("/admin/hooks/", h.mounted(t, "/admin/hooks/"))
	both.Handle("/admin/hooks", h.mounted(t, "/admin/hooks/"))
	behind := func(t *testing.T) string { return nginx(t, both) }

	for _, test := range []struct {
		name  string
		serve func(*testing.T) string
		path  string // without a slash at its end; empty is the root
	}{
		{"at the root", served(h.mounted(t, "/")), ""},
		{"in a subtree", served(h.mounted(t, "/admin/hooks/")), "/admin/hooks"},
		{"http.StripPrefix", served(strip), "/a/b"},
		{"chi", served(inChi), "/a/b"},
		{"chi with StripPrefix", served(stripped), "/a/b"},
		{"gorilla/mux", served(gorilla), "/a/b"},
		{"gorilla/mux with StripPrefix", served(subrouter), "/a/b"},
		{"nginx that removes a prefix", behind, "/removed"},
		{"nginx that changes a prefix", behind, "/changed"},
		{"nginx that keeps the prefix", behind, "/admin/hooks"},
	} {
		t.Run(test.name, func(t *testing.T) {
			base := test.serve(t)
			for _, slash := range []string{"/", ""} {
				if test.path == "" && slash == "" {
					continue // there is no such URL
				}
				h.uses(t, base+test.path+slash, base+test.path+"/")
			}
		})
	}
}

// uses follows every link from a URL, and sends a form. folder is where the pages are to be.
func (h *host) uses(t *testing.T, first, folder string) {
	t.Helper()
	b := newBrowser(t)
	seen := b.crawl(first, folder)
	for _, page := range []string{"", "list", "webhook?id=" + h.id, "deliveries", "new", "types",
		"delivery?event=order-1&id=" + h.id, "rotate?id=" + h.id, "example?type=order.created",
		"event?id=order-1"} {
		if page == "event?id=order-1" { // by the search box
			b.get(folder + page)
		} else if !seen[folder+page] {
			t.Errorf("from %s: no link leads to %s", first, page)
		}
	}
	for file, kind := range map[string]string{
		"console.css": "text/css", "console.js": "text/javascript",
	} {
		found := ""
		for link := range seen {
			if strings.HasPrefix(link, folder+file+"?v=") {
				found = link
			}
		}
		if found == "" {
			t.Errorf("from %s: no page loads %s", first, file)
		} else if r, _ := b.get(found); !strings.HasPrefix(r.Header.Get("Content-Type"), kind) {
			t.Errorf("%s: got %s, want %s", found, r.Header.Get("Content-Type"), kind)
		}
	}
	// A form is sent to where its page says, and what it has done shows on the page after it.
	for action, want := range map[string]string{"pause": "The webhook is paused.",
		"resume": "The webhook goes on."} {
		r, body := b.post(folder+action, url.Values{"id": {h.id}})
		if !strings.HasPrefix(r.Request.URL.String(), folder+"webhook?") ||
			!strings.Contains(body, want) {
			t.Errorf("%s: got to %s: %s", action, r.Request.URL, body)
		}
	}
}

// browser is a client that keeps cookies, follows redirects, and knows links.
type browser struct {
	t      *testing.T
	client *http.Client
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, &http.Client{Jar: jar, Timeout: time.Minute}}
}

func (b *browser) get(at string) (*http.Response, string) {
	b.t.Helper()
	return b.do(http.MethodGet, at, nil)
}

func (b *browser) post(at string, form url.Values) (*http.Response, string) {
	b.t.Helper()
	return b.do(http.MethodPost, at, strings.NewReader(form.Encode()))
}

func (b *browser) do(method, at string, body io.Reader) (*http.Response, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, at, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin") // as browsers say, by TLS and on this machine
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		b.t.Errorf("%s %s: got %d, want 200", method, at, response.StatusCode)
	}
	return response, string(text)
}

var hrefs = regexp.MustCompile(` (?:href|src)="([^"#][^"]*)"`)

// crawl follows all links from a URL and returns what it has seen, by where it was found. All of it
// must be in one folder.
func (b *browser) crawl(first, folder string) map[string]bool {
	b.t.Helper()
	seen := make(map[string]bool)
	for queue := []string{first}; len(queue) > 0 && len(seen) < 200; queue = queue[1:] {
		at := queue[0]
		if seen[at] {
			continue
		}
		seen[at] = true
		response, body := b.get(at)
		base := response.Request.URL // after redirects
		if !strings.HasPrefix(base.String(), folder) {
			b.t.Errorf("%s: got to %s, want to stay in %s", at, base, folder)
		}
		seen[strings.TrimSuffix(base.String(), "?")] = true
		if !strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") {
			continue
		}
		for _, m := range hrefs.FindAllStringSubmatch(body, -1) {
			link := html.UnescapeString(m[1])
			to, err := base.Parse(link)
			if err != nil {
				b.t.Fatal(err)
			}
			if strings.HasPrefix(link, "/") || to.Host != base.Host {
				b.t.Errorf("%s has the link %s, which is not relative", at, link)
			}
			to.Fragment = ""
			queue = append(queue, to.String())
		}
	}
	return seen
}
