package console_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/outhook/outhook/httpapi/console"
)

// portal is a host whose console takes links, with a browser that keeps cookies.
type portal struct {
	*host
	*browser
	l *console.Link
}

func newPortal(t *testing.T) *portal {
	t.Helper()
	p := &portal{host: newHost(t, nil, nil), l: &console.Link{Keys: [][]byte{linkKey(1)}}}
	mux := http.NewServeMux()
	if err := console.Mount(mux, "/portal/", p.d, p.l.Authorizer(nil),
		&console.Options{Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	p.browser = newBrowser(t, mux, "/portal/")
	return p
}

// link returns a link to a page, for an account.
func (p *portal) link(page string, a console.Access) string {
	p.host.t.Helper()
	to, err := p.l.URL(p.base, a)
	if err != nil {
		p.host.t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil {
		p.host.t.Fatal(err)
	}
	return page + "?" + u.RawQuery
}

// A link of another account asks before it replaces the session that a browser has, and names both;
// nothing but the form of that page does it.
func TestLinkAsksBeforeItReplacesASession(t *testing.T) {
	p := newPortal(t)
	p.subscribe("acme", "ours")
	p.subscribe("globex", "theirs")
	grace := console.Access{Tenant: "acme", May: console.MayAll, Actor: "grace"}
	linus := console.Access{Tenant: "globex", May: console.MayAll, Actor: "linus"}
	here := func(want, not string) {
		t.Helper()
		if a := p.browser.get("list"); !strings.Contains(a.body, want) ||
			strings.Contains(a.body, not) {
			t.Fatalf("got %s, want the webhooks of %s", a.body, want)
		}
	}
	p.browser.get(p.link("", grace))
	here("ours", "theirs")

	for _, other := range []console.Access{linus, {Tenant: "acme", Actor: "ada"},
		{AnyTenant: true, Actor: "grace"}} {
		a := p.browser.get(p.link("list", other))
		if a.StatusCode != http.StatusConflict || !a.shows("grace (acme)") ||
			!a.shows(other.Actor) || len(a.Cookies()) != 0 {
			t.Errorf("%+v: got %d %s, want a page that asks", other, a.StatusCode, a.body)
		}
		here("ours", "theirs")
	}

	// A page of another site can't press the button.
	to := p.link("list", linus)
	r := httptest.NewRequest(http.MethodPost, p.base+to, nil)
	r.RequestURI = ""
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if a := p.browser.do(r); a.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: got %d, want 403", a.StatusCode)
	}
	here("ours", "theirs")

	a := p.browser.get(to + "&status=on")
	a = p.browser.post(actionOf(t, a.body), url.Values{})
	if a.StatusCode != 200 || a.Request.URL.Path != "/portal/list" ||
		a.Request.URL.RawQuery != "status=on" {
		t.Errorf("got %d at %s, want the page without the link", a.StatusCode, a.Request.URL)
	}
	here("theirs", "ours")

	// The same account again is no question, whatever it may do.
	linus.May = 0
	if a := p.browser.get(p.link("list", linus)); a.StatusCode != 200 || a.shows("Add a webhook") {
		t.Errorf("the same account: got %d %s, want its webhooks, to look at", a.StatusCode, a.body)
	}
}

// actionOf returns where the form of a page's main part is posted to.
func actionOf(t *testing.T, page string) string {
	t.Helper()
	_, main, _ := strings.Cut(page, "<main")
	for _, link := range links(main) {
		if strings.Contains(link, "link=") {
			return strings.TrimPrefix(link, "./")
		}
	}
	t.Fatalf("the page has no form with the link: %s", page)
	return ""
}

// Every page and every action without a session, and with one that has expired, was tampered with,
// was signed for another console or by a key that was removed, is the same refusal: it says nothing
// of what there is.
func TestNoSession(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	h.publish("acme", "order-1", `{}`)
	before := h.snapshot(sub.ID)
	l := &console.Link{Keys: [][]byte{linkKey(1)}}
	session := func(l *console.Link) string {
		link, err := l.URL("https://host.example/admin/hooks/",
			console.Access{Tenant: "acme", May: console.MayAll})
		if err != nil {
			t.Fatal(err)
		}
		c, err := follow(t, l.Authorizer(nil), link)
		if err != nil {
			t.Fatal(err)
		}
		return c.Name + "=" + c.Value
	}
	good := session(l)
	short := session(&console.Link{Keys: l.Keys, Session: time.Second})
	removed := session(&console.Link{Keys: [][]byte{linkKey(2)}})
	name, value, _ := strings.Cut(good, "=")
	body, sum, _ := strings.Cut(value, ".")
	forged := "A"
	if body[20] == 'A' {
		forged = "B"
	}
	mux := http.NewServeMux()
	if err := console.Mount(mux, "/admin/hooks/", h.d, l.Authorizer(nil),
		&console.Options{Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	h.handler = mux
	h.must("list", "Cookie", good)
	h.eventually("the short session to expire", func() bool {
		return h.get("list", "Cookie", short).StatusCode == http.StatusForbidden
	})
	get, post := console.PageNames()
	unknown := uuid.NewString()
	ask := func(method, page, id, cookie string) answer {
		t.Helper()
		if method == http.MethodGet {
			return h.get(page+"?id="+id+"&event=order-1", "Cookie", cookie)
		}
		return h.do(method, page, actions(id, "order-1")[page], "Cookie", cookie)
	}
	for method, pages := range map[string][]string{http.MethodGet: get, http.MethodPost: post} {
		for _, page := range pages {
			refused := ask(method, page, unknown, "").body
			for what, cookie := range map[string]string{
				"unsigned": "", "expired": short, "without its signature": name + "=" + body,
				"tampered":      name + "=" + body[:20] + forged + body[21:] + "." + sum,
				"a removed key": removed,
			} {
				for _, id := range []string{sub.ID, unknown} {
					a := ask(method, page, id, cookie)
					if a.StatusCode != http.StatusForbidden || a.body != refused {
						t.Errorf("%s, %s %q: got %d, want the 403 of all", what, method, page,
							a.StatusCode)
					}
				}
			}
		}
	}
	if after := h.snapshot(sub.ID); after != before {
		t.Errorf("got %s, want it unchanged: %s", after, before)
	}
}

// The lists that the tests of tenants and permissions go through have every page and every action.
func TestAllPagesAreTested(t *testing.T) {
	get, post := console.PageNames()
	tested := make(map[string]bool)
	for _, page := range append(somePages("id", "event"), "download") {
		name, _, _ := strings.Cut(page, "?")
		tested[name] = true
	}
	for _, name := range get {
		if !tested[name] {
			t.Errorf("somePages has no %q", name)
		}
	}
	for _, name := range post {
		if actions("id", "event")[name] == nil && name != "new" {
			t.Errorf("actions has no %q", name)
		}
	}
}
