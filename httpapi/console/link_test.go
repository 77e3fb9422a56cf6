package console_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console"
)

func linkKey(b byte) []byte { return bytes.Repeat([]byte{b}, console.MinLinkKey) }

// follow asks an Authorizer with a link, and returns the cookie of the session.
func follow(t *testing.T, who console.Authorizer, link string) (*http.Cookie, error) {
	t.Helper()
	h, err := console.Handler(newHost(t, nil, nil).d, who, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, link, nil))
	cookies := w.Result().Cookies()
	if w.Code != http.StatusSeeOther || len(cookies) != 1 {
		return nil, errors.New("refused")
	}
	if to := w.Header().Get("Location"); to != "./" && to != "./list" {
		t.Errorf("got sent to %s, want the same page without the link", to)
	}
	c := cookies[0]
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "" {
		t.Errorf("got the cookie %v", c)
	}
	return c, nil
}

// ask returns what an Authorizer says to a request with a cookie.
func ask(who console.Authorizer, c *http.Cookie) (console.Access, error) {
	r := httptest.NewRequest(http.MethodGet, "https://app.example/portal/", nil)
	if c != nil {
		r.AddCookie(c)
	}
	return who(r)
}

func TestLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &console.Link{Keys: [][]byte{linkKey(1)}}
		access := console.Access{Tenant: "acme", May: console.MayTest | console.MaySend, Actor: "grace"}
		link, err := l.URL("https://app.example/portal", access)
		if err != nil || !strings.HasPrefix(link, "https://app.example/portal/?link=") {
			t.Fatalf("got %s, %v", link, err)
		}
		who := l.Authorizer(nil)
		c, err := follow(t, who, link)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ask(who, c); err != nil || got != access {
			t.Errorf("got %+v, %v, want %+v", got, err, access)
		}
		if _, err := ask(who, nil); err == nil {
			t.Error("without a cookie: got no error")
		}
		// The token of a URL is no session, and that of a session no link.
		u, _ := url.Parse(link)
		if _, err := ask(who, &http.Cookie{Name: c.Name, Value: u.Query().Get("link")}); err == nil {
			t.Error("the token of a link as a session: got no error")
		}
		if _, err := follow(t, who, "/portal/?link="+url.QueryEscape(c.Value)); err == nil {
			t.Error("the token of a session as a link: got no error")
		}
		time.Sleep(console.DefaultLinkTTL - time.Second)
		if _, err := follow(t, who, link); err != nil {
			t.Error("a second before its end, the link is refused")
		}
		time.Sleep(time.Second)
		if _, err := follow(t, who, link); err == nil {
			t.Error("at its end, the link is taken")
		}
		if _, err := ask(who, c); err != nil {
			t.Errorf("the session ended with the link: %v", err)
		}
		time.Sleep(console.DefaultLinkSession)
		if _, err := ask(who, c); err == nil {
			t.Error("the session does not end")
		}
	})
}

// Every byte of a token counts.
func TestLinkTampered(t *testing.T) {
	l := &console.Link{Keys: [][]byte{linkKey(1)}}
	who := l.Authorizer(nil)
	link, err := l.URL("https://app.example/portal/", console.Access{Tenant: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := follow(t, who, link)
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Value {
		for _, with := range []string{"", "A", "-", "."} {
			if c.Value[i:i+1] == with {
				continue
			}
			forged := *c
			forged.Value = c.Value[:i] + with + c.Value[i+1:]
			if _, err := ask(who, &forged); err == nil {
				t.Errorf("byte %d as %q: the session is taken", i, with)
			}
		}
	}
	for _, other := range []*console.Link{{}, {Keys: [][]byte{nil}}, {Keys: [][]byte{linkKey(2)}},
		{Keys: [][]byte{linkKey(1)[1:]}}} {
		if _, err := ask(other.Authorizer(nil), c); err == nil {
			t.Errorf("with the keys %x, the session is taken", other.Keys)
		}
	}
}

func TestLinkKeysRotate(t *testing.T) {
	old := &console.Link{Keys: [][]byte{linkKey(1)}}
	link, err := old.URL("https://app.example/", console.Access{Tenant: "acme"})
	if err != nil {
		t.Fatal(err)
	}
	both := &console.Link{Keys: [][]byte{linkKey(2), linkKey(1)}}
	c, err := follow(t, both.Authorizer(nil), link)
	if err != nil {
		t.Fatal("a link by the older key is refused")
	}
	now := &console.Link{Keys: [][]byte{linkKey(2)}}
	if _, err := ask(now.Authorizer(nil), c); err != nil {
		t.Error("the session was not signed by the newer key")
	}
	session, err := follow(t, old.Authorizer(nil), link)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(now.Authorizer(nil), session); err == nil {
		t.Error("a key was removed, and its session goes on")
	}
}

// What a link allows is an upper bound: the host may lower it, at each request, and never raise it.
func TestLinkIsAnUpperBound(t *testing.T) {
	l := &console.Link{Keys: [][]byte{linkKey(1)}}
	bound := console.Access{Tenant: "acme", May: console.MayTest | console.MaySend, Actor: "grace"}
	link, err := l.URL("https://app.example/", bound)
	if err != nil {
		t.Fatal(err)
	}
	c, err := follow(t, l.Authorizer(nil), link)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name       string
		next, want console.Access
		refused    bool
	}{
		{"more", console.Access{Tenant: "acme", May: console.MayAll}, bound, false},
		{"any tenant", console.Access{AnyTenant: true, May: console.MayAll}, bound, false},
		{"less", console.Access{Tenant: "acme", May: console.MayTest, Actor: "ada"},
			console.Access{Tenant: "acme", May: console.MayTest, Actor: "ada"}, false},
		{"another tenant", console.Access{Tenant: "globex", May: console.MayAll}, console.Access{}, true},
	} {
		got, err := ask(l.Authorizer(func(r *http.Request) (console.Access, error) {
			if a, ok := console.LinkAccess(r); !ok || a != bound {
				t.Errorf("%s: next sees %+v, %v, want the link's", test.name, a, ok)
			}
			return test.next, nil
		}), c)
		if got != test.want || err != nil != test.refused {
			t.Errorf("%s: got %+v, %v, want %+v", test.name, got, err, test.want)
		}
	}
	closed := errors.New("the account is closed")
	if _, err := ask(l.Authorizer(func(*http.Request) (console.Access, error) {
		return console.Access{}, closed
	}), c); !errors.Is(err, closed) {
		t.Errorf("got %v, want the error of next", err)
	}
}

func TestLinkOutOfBounds(t *testing.T) {
	good := &console.Link{Keys: [][]byte{linkKey(1)}}
	for _, test := range []struct {
		l           *console.Link
		base, field string
	}{
		{good, "/portal/", "base"}, {good, "javascript:alert(1)", "base"}, {good, ":", "base"},
		{&console.Link{}, "https://a.example/", "Keys"},
		{&console.Link{Keys: [][]byte{linkKey(1)[1:]}}, "https://a.example/", "Keys"},
	} {
		_, err := test.l.URL(test.base, console.Access{})
		invalid := (*events.InvalidError)(nil)
		if !errors.As(err, &invalid) || invalid.Field != test.field {
			t.Errorf("%s: got %v, want an error about %s", test.base, err, test.field)
		}
	}
}

// A link to the console without its last slash works too.
func TestLinkWithoutASlash(t *testing.T) {
	h := newHost(t, nil, nil)
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/admin/hooks?link=a.b", nil))
	if got := w.Header().Get("Location"); w.Code != 303 || got != "./hooks/?link=a.b" {
		t.Errorf("got %d, %s, want the same with a slash", w.Code, got)
	}
}

// A customer comes by a link and works, in a browser; without one it is refused.
func TestLinkInABrowser(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	l := &console.Link{Keys: [][]byte{linkKey(1)}}
	mux := http.NewServeMux()
	if err := console.Mount(mux, "/portal/", h.d, l.Authorizer(nil),
		&console.Options{Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, mux, "")
	if a := b.get("/portal/"); a.StatusCode != http.StatusForbidden {
		t.Errorf("without a link: got %d, want 403", a.StatusCode)
	}
	link, err := l.URL(b.base+"/portal/", console.Access{Tenant: "acme", May: console.MayTest})
	if err != nil {
		t.Fatal(err)
	}
	a := b.get(strings.TrimPrefix(link, b.base))
	if a.StatusCode != 200 || !strings.Contains(a.body, sub.ID) || a.Request.URL.RawQuery != "" {
		t.Errorf("got %d at %s, want the webhooks, and no link in the address", a.StatusCode,
			a.Request.URL)
	}
	if a := b.post("/portal/test", url.Values{"id": {sub.ID}}); a.StatusCode != 200 {
		t.Errorf("a test: got %d, want 200", a.StatusCode)
	}
	if a := b.post("/portal/delete", url.Values{"id": {sub.ID}}); a.StatusCode != 403 {
		t.Errorf("what the link does not allow: got %d, want 403", a.StatusCode)
	}
}
