package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/outhook/outhook/store"
)

// hostile are texts that others may give.
var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'-alert(1)-'`,
	`</title><script>alert(1)</script>`, `</textarea><script>alert(1)</script>`,
	`javascript:alert(1)`, `{{.}}`, `{{template "main"}}`, "`${alert(1)}`", `<!--`, `]]>`,
	`&lt;script&gt;`, `&#x3c;svg onload=alert(1)&#x3e;`, "a\u202egnp.exe", "a\u2066b\u2069",
	"a\u200bb", "a\u200db", "\ufeffx", "a\x00b", "a\x1b[31mb", "a\rb", "a\u2028b", "a\u3164b",
	"a\U000e0041b", "\u00adx", "a\ufe0fb", "a\u180fb", "a\U00016fe4b",
	"a\U0001107fb", strings.Repeat("a", 200), "<svg/onload=alert(1)>",
	`<a href="javascript:alert(1)">x</a>`, `<iframe srcdoc="<script>alert(1)</script>">`,
	`<math><mtext></table><img src=x onerror=alert(1)>`, `=cmd|' /C calc'!A0`,
}

// What others write is text on every page, and what can't be seen in it shows.
func TestHostileText(t *testing.T) {
	h := newHost(t, nil, nil)
	for i, text := range hostile {
		sub := h.subscribe("acme", "crm")
		if _, err := h.d.Update(t.Context(), sub.ID, func(s *store.Subscription) error {
			s.Name = text
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for _, page := range []string{"list", "webhook?id=" + sub.ID, "deliveries?id=" + sub.ID,
			"edit?id=" + sub.ID, "delete?id=" + sub.ID,
			"event?" + url.Values{"id": {text}}.Encode(),
			"deliveries?" + url.Values{"type": {text}, "since": {text}}.Encode()} {
			body := h.get(page, "X-Tenant", "acme").body
			shown := checkMarkup(t, page, body)
			for _, c := range body {
				if strings.ContainsRune("\u202e\u2066\u2069\u200b\u200d\ufeff\x00\x1b\u2028\u3164"+
					"\U000e0041\u00ad\ufe0f\u180f\U00016fe4\U0001107f", c) && !strings.HasPrefix(page, "edit") {
					t.Errorf("%d %s: has the character %U", i, page, c)
				}
			}
			if page == "list" && printable(text) && !strings.Contains(shown, text) {
				t.Errorf("%d %s: does not show %s", i, page, text)
			}
		}
		if err := h.d.Delete(t.Context(), sub.ID); err != nil {
			t.Fatal(err)
		}
	}
}

// checkMarkup fails for anything in a page that runs, loads or styles and is not the frame's. It
// returns the page's text.
func checkMarkup(t *testing.T, page, body string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	loaded := 0
	var shown strings.Builder
	for n := range root.Descendants() {
		switch {
		case n.Type == html.TextNode:
			shown.WriteString(n.Data)
		case n.Type == html.CommentNode:
			t.Errorf("%s has the comment %q", page, n.Data)
		case n.Type != html.ElementNode:
			continue
		}
		switch n.Data {
		case "script", "link":
			loaded++
		case "style", "iframe", "object", "embed", "base", "img", "math", "template", "noscript":
			if n.Type == html.ElementNode {
				t.Errorf("%s has the element %s", page, n.Data)
			}
		}
		for _, a := range n.Attr {
			value := strings.ToLower(strings.TrimSpace(a.Val))
			isURL := a.Key == "href" || a.Key == "src" || a.Key == "action"
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" ||
				isURL && strings.Contains(value, ":") {
				t.Errorf("%s has %s=%q", page, a.Key, a.Val)
			}
		}
	}
	if loaded != 2 {
		t.Errorf("%s loads %d files, want the style sheet and the script", page, loaded)
	}
	return shown.String()
}

func printable(s string) bool {
	for _, c := range s {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// What an endpoint answers is shown to those who may see it, as text.
func TestHostileAnswer(t *testing.T) {
	h := newHost(t, nil, nil)
	sub := h.subscribe("acme", "crm")
	h.r.Always(http.StatusInternalServerError)
	h.publish("acme", "order-1", `{}`)
	page := "delivery?id=" + sub.ID + "&event=order-1"
	body := h.must(page, "X-Tenant", "acme")
	if !strings.Contains(body, "500 Internal Server Error") ||
		!strings.Contains(body, "The endpoint has a fault of its own.") {
		t.Errorf("got %s, want what went wrong and what to do", body)
	}
}
