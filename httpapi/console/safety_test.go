package console_test

import (
	"bytes"
	"compress/gzip"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console"
)

// somePages are pages of each kind, with a webhook and an event.
func somePages(id, event string) []string {
	return []string{
		"", "list", "webhook?id=" + id, "deliveries", "deliveries?id=" + id,
		"deliveries?state=delivered&type=order.created&last=24h&count=1",
		"delivery?id=" + id + "&event=" + event, "event?id=" + event, "types", "new",
		"example?type=order.created&id=" + id,
		"edit?id=" + id, "key?id=" + id, "disable?id=" + id, "rotate?id=" + id, "delete?id=" + id,
		"replay?id=" + id + "&state=delivered",
		"progress?id=" + id + "&cursor=x&sent=3", "erase?id=" + id + "&event=" + event,
	}
}

// Every answer has the headers that keep a browser from running, loading or keeping anything.
func TestHeaders(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	h.publish("acme", "order-1", `{}`)
	pages := append(somePages(sub.ID, "order-1"), "nothing", "test", "console.css", "console.js",
		"webhook?id=nothing")
	for _, page := range pages {
		for _, operator := range []string{"", "1"} {
			a := h.get(page, "X-Tenant", "acme", "X-Operator", operator, "Sec-Fetch-Site", "same-origin")
			want := map[string]string{
				"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
				"Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
				"Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY",
			}
			for name, value := range want {
				if got := a.Header.Get(name); got != value {
					t.Errorf("%s: got %s: %s, want %s", page, name, got, value)
				}
			}
			policy := a.Header.Get("Content-Security-Policy")
			if strings.HasPrefix(page, "console.") {
				continue
			}
			wantPolicy := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
				"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
			if policy != wantPolicy {
				t.Errorf("%s: got the policy %s", page, policy)
			}
			if found := scripts.FindAllString(a.body, -1); len(found) != 1 {
				t.Errorf("%s: got %q, want the one script of the frame and nothing inline", page, found)
			}
		}
	}
	// Where a browser sends no Sec-Fetch-Site, it must be able to send an Origin.
	if got := h.get("list").Header.Get("Referrer-Policy"); got != "same-origin" {
		t.Errorf("got %s on plain HTTP, want same-origin", got)
	}
}

func TestFrameAncestors(t *testing.T) {
	h := newHost(t, &console.Options{FrameAncestors: []string{"'self'", "https://app.example"}}, nil)
	a := h.get("list")
	if got := a.Header.Get("Content-Security-Policy"); !strings.HasSuffix(got,
		"; frame-ancestors 'self' https://app.example") {
		t.Errorf("got %s", got)
	}
	if got := a.Header.Get("X-Frame-Options"); got != "" {
		t.Errorf("got X-Frame-Options %s, want none", got)
	}
}

// A page of another site can make a browser do nothing here.
func TestOtherOrigins(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Sec-Fetch-Site", "", "Origin", "https://evil.example"},
		{"Sec-Fetch-Site", "", "Origin", "null"},
	} {
		a := h.do(http.MethodPost, "delete", url.Values{"id": {sub.ID}},
			append(headers, "X-Tenant", "acme")...)
		if a.StatusCode != http.StatusForbidden {
			t.Errorf("%q: got %d, want 403", headers, a.StatusCode)
		}
	}
	h.must("webhook?id="+sub.ID, "X-Tenant", "acme")
	got := h.post("delete", url.Values{"id": {sub.ID}}, "X-Tenant", "acme",
		"Sec-Fetch-Site", "", "Origin", "https://host.example")
	if got != "list?done=deleted" {
		t.Errorf("the same origin: got %s", got)
	}
}

func TestMethods(t *testing.T) {
	h := newHost(t, nil, nil)
	for _, test := range []struct {
		method, page, allow string
	}{
		{http.MethodPost, "list", "GET, HEAD"},
		{http.MethodGet, "test", "POST"},
		{http.MethodPut, "edit", "GET, HEAD, POST"},
		{http.MethodDelete, "delete", "GET, HEAD, POST"},
		{http.MethodPatch, "types", "GET, HEAD"},
		{http.MethodPut, "enable", "POST"},
		{http.MethodGet, "pause", "POST"},
		{http.MethodPost, "console.css", "GET, HEAD"},
	} {
		a := h.do(test.method, test.page, nil)
		if a.StatusCode != http.StatusMethodNotAllowed || a.Header.Get("Allow") != test.allow {
			t.Errorf("%s %s: got %d, Allow: %s; want 405 and %s", test.method, test.page, a.StatusCode,
				a.Header.Get("Allow"), test.allow)
		}
	}
}

// No type of html/template that is taken for safe is made in the package, so all text is escaped.
func TestNoTrustedTemplateTypes(t *testing.T) {
	trusted := map[string]bool{"HTML": true, "HTMLAttr": true, "JS": true, "JSStr": true,
		"CSS": true, "URL": true, "Srcset": true}
	seen := 0
	err := filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		seen++
		ast.Inspect(file, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "template" && trusted[s.Sel.Name] {
				t.Errorf("%s uses template.%s: return a string, which is escaped", path, s.Sel.Name)
			}
			return true
		})
		for _, spec := range file.Imports {
			if spec.Path.Value == `"text/template"` || spec.Path.Value == `"html/template"` &&
				spec.Name != nil {
				t.Errorf("%s imports %s by another name, or a template that does not escape", path,
					spec.Path.Value)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 20 {
		t.Errorf("only %d files were read", seen)
	}
}

// The first page with all that it loads is small: it shows at once on a bad line.
func TestFirstPageIsSmall(t *testing.T) {
	h := newHost(t, nil, &dispatcher.Options{EventTypes: events.Airy()})
	for i := range 60 {
		h.subscribe("acme", "crm"+string(rune('a'+i%26))+string(rune('a'+i/26)))
	}
	for _, headers := range [][]string{{"X-Tenant", "acme"}, {"X-Operator", "1"}} {
		page := h.must("", headers...)
		total, requests := zipped(t, page), 1
		for _, link := range links(page) {
			if name, _, _ := strings.Cut(link, "?v="); name == "console.css" || name == "console.js" {
				total += zipped(t, h.must(link))
				requests++
			}
		}
		if total > 25<<10 || requests != 3 {
			t.Errorf("%q: got %d bytes in %d requests, want 25 KiB in 3 at most", headers, total, requests)
		}
		if strings.Contains(page, "//") && strings.Contains(page, "<img") {
			t.Errorf("%q: it loads an image", headers)
		}
		t.Logf("%q: %d bytes, zipped", headers, total)
	}
	for name, most := range map[string]int{"console.css": 14 << 10, "console.js": 6 << 10} {
		if n := len(h.must(name)); n > most {
			t.Errorf("%s has %d bytes, want %d at most", name, n, most)
		}
	}
}

func zipped(t *testing.T, text string) int {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Len()
}

// What is secret is on no page: keys, the values of headers, queries of URLs.
func TestSecretsAreNotShown(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	h.publish("acme", "order-1", `{}`)
	key := string(sub.Secrets[0])
	for _, page := range somePages(sub.ID, "order-1") {
		for _, operator := range []string{"", "1"} {
			a := h.get(page, "X-Tenant", "acme", "X-Operator", operator)
			if a.StatusCode != 200 {
				t.Errorf("%s: got %d, want 200", page, a.StatusCode)
			}
			for _, canary := range []string{key, "canary-header", "canary-query", key[6:20]} {
				if page == "edit?id="+sub.ID && canary == "canary-query" {
					continue // who edits a URL must see it
				}
				if a.shows(canary) {
					t.Errorf("%s shows %s", page, canary)
				}
			}
		}
	}
}
