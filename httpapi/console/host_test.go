package console_test

import (
	"context"
	"errors"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/dispatchertest"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// host is a program that has mounted the console at /admin/hooks/, with a dispatcher that delivers.
type host struct {
	t       *testing.T
	d       *dispatcher.Dispatcher
	r       *dispatchertest.Receiver
	handler http.Handler
}

// byHeader is an Authorizer that trusts headers: the tenant, what it may do, or an operator.
func byHeader(r *http.Request) (console.Access, error) {
	if r.Header.Get("X-Nobody") != "" {
		return console.Access{}, errors.New("the password hunter2 is wrong")
	}
	a := console.Access{Tenant: r.Header.Get("X-Tenant"), May: console.MayAll, Actor: "grace"}
	if r.Header.Get("X-Operator") != "" {
		a.AnyTenant = true
	}
	if r.Header.Get("X-Look") != "" {
		a.May = 0
	}
	return a, nil
}

func newHost(t *testing.T, o *console.Options, do *dispatcher.Options) *host {
	t.Helper()
	return newHostOn(t, memstore.New(), o, do)
}

// newHostOn is newHost on a store of the test's.
func newHostOn(
	t *testing.T, s store.Store, o *console.Options, do *dispatcher.Options,
) *host {
	t.Helper()
	if do == nil {
		do = &dispatcher.Options{}
	}
	if do.Backoff == (dispatcher.Backoff{}) { // retries that no test waits for
		do.Backoff = dispatcher.Backoff{Initial: time.Hour, Max: time.Hour, MaxAttempts: 3}
	}
	if do.EventTypes == nil {
		do.EventTypes = []events.Type{
			{Name: "order.created", Example: []byte(`{"order":4711}`)}, {Name: "invoice.paid"},
		}
		for _, name := range []string{"good", "bad", "missing", "down", "busy", "paused", "active",
			"new", "failing", "throttled", "disabled", "unsubscribed", "healthy", "late", "picky",
			"gone"} { // for host.typed
			do.EventTypes = append(do.EventTypes, events.Type{Name: name + ".happened"})
		}
	}
	d, r := dispatchertest.NewOn(t, s, do)
	h := &host{t: t, r: r}
	h.mountWith(d, o)
	return h
}

// mount serves the console of a dispatcher.
func (h *host) mount(d *dispatcher.Dispatcher) { h.mountWith(d, nil) }

func (h *host) mountWith(d *dispatcher.Dispatcher, o *console.Options) {
	h.t.Helper()
	mux := http.NewServeMux()
	opts := console.Options{}
	if o != nil {
		opts = *o
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if err := console.Mount(mux, "/admin/hooks/", d, byHeader, &opts); err != nil {
		h.t.Fatal(err)
	}
	h.d, h.handler = d, mux
}

// running delivers until the test ends.
func (h *host) running(d *dispatcher.Dispatcher) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	h.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			h.t.Errorf("Run: %v", err)
		}
	})
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
}

// shows reports whether the page has a text, be it escaped or not.
func (a answer) shows(text string) bool {
	return strings.Contains(html.UnescapeString(a.body), text)
}

// do sends a request for a page with headers as name, value, name, value.
func (h *host) do(method, page string, form url.Values, headers ...string) answer {
	h.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, "https://host.example/admin/hooks/"+page, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return answer{w.Result(), w.Body.String()}
}

func (h *host) get(page string, headers ...string) answer {
	h.t.Helper()
	return h.do(http.MethodGet, page, nil, headers...)
}

// must is get for a page that is there.
func (h *host) must(page string, headers ...string) string {
	h.t.Helper()
	a := h.get(page, headers...)
	if a.StatusCode != http.StatusOK {
		h.t.Fatalf("%s: got %d %s, want 200", page, a.StatusCode, a.body)
	}
	return a.body
}

// post sends a form and returns where it leads; it fails for anything but a 303.
func (h *host) post(page string, form url.Values, headers ...string) string {
	h.t.Helper()
	a := h.do(http.MethodPost, page, form, headers...)
	to := a.Header.Get("Location")
	if a.StatusCode != http.StatusSeeOther || strings.HasPrefix(to, "/") ||
		strings.Contains(to, ":") { // which no prefix of a proxy's would be before
		h.t.Fatalf("POST %s: got %d to %q %s, want 303 to a page by its name", page, a.StatusCode, to,
			a.body)
	}
	return to
}

// subscribe makes a webhook of a tenant.
func (h *host) subscribe(tenant, name string) store.Subscription {
	h.t.Helper()
	sub, err := h.d.Subscribe(h.t.Context(), store.Subscription{
		Tenant: tenant, Name: name, URL: "https://" + name + ".example/in?token=canary-query",
		Headers: map[string]string{"X-Token": "canary-header"},
		Secrets: []signing.Secret{signing.NewSecret()},
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return sub
}

func testEvent(tenant, id string) events.Event {
	return events.Event{ID: id, Type: "order.created", Tenant: tenant, Time: time.Now(),
		Payload: []byte(`{}`)}
}

// publish publishes an event of a tenant and waits until its first attempts are over.
func (h *host) publish(tenant, id, payload string) {
	h.t.Helper()
	e := testEvent(tenant, id)
	e.Payload = []byte(payload)
	if err := h.d.Publish(h.t.Context(), e); err != nil {
		h.t.Fatal(err)
	}
	h.eventually("the first attempts of "+id, func() bool {
		page, err := h.d.Deliveries(h.t.Context(), store.DeliveryQuery{Tenant: tenant, EventID: id})
		if err != nil {
			h.t.Fatal(err)
		}
		for _, d := range page.Items {
			if d.State == store.Pending && d.Attempts == 0 {
				return false
			}
		}
		return true
	})
}

// eventually waits for something that becomes true by itself.
func (h *host) eventually(what string, is func() bool) {
	h.t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(30 * time.Second)
	for !is() {
		select {
		case <-tick.C:
		case <-timeout:
			h.t.Fatalf("waited for 30 s for %s", what)
		}
	}
}

// browser is a client that keeps cookies, on a real socket with TLS.
type browser struct {
	t      *testing.T
	client *http.Client
	base   string // with a slash at its end
}

func newBrowser(t *testing.T, handler http.Handler, path string) *browser {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	client := server.Client()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client.Jar = jar
	return &browser{t, client, server.URL + path}
}

// get follows redirects.
func (b *browser) get(page string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.base+page, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

// post follows the redirect that it gets.
func (b *browser) post(page string, form url.Values) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+page,
		strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

func (b *browser) do(r *http.Request) answer {
	b.t.Helper()
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{response, string(body)}
}

var (
	hrefs   = regexp.MustCompile(` (?:href|src|action)="([^"]*)"`)
	scripts = regexp.MustCompile(`(?i)<script|<style| style=| on[a-z]+=`)
)

// links are the URLs in a page, as they stand there but for &amp;.
func links(page string) []string {
	var all []string
	for _, m := range hrefs.FindAllStringSubmatch(page, -1) {
		all = append(all, strings.ReplaceAll(m[1], "&amp;", "&"))
	}
	return all
}
