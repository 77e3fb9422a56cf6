package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console"
	shown "github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// corpus returns texts that try to be more than text: to run, to load, to style, to end what is
// around them, to hide, to be taken for another. Most come with characters that can't be seen.
func corpus() []string {
	shapes := []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'-alert(1)-'`,
		`</title><script>alert(1)</script>`, `</textarea><script>alert(1)</script>`,
		`</pre></code><script>alert(1)</script>`, `</option></select><img src=x onerror=alert(1)>`,
		`javascript:alert(1)`, `{{.}}`, `{{template "main"}}`, "`${alert(1)}`", `<!--`, `-->`, `]]>`,
		`&lt;script&gt;`, `&#x3c;svg onload=alert(1)&#x3e;`, `&quot;&gt;`, `<svg/onload=alert(1)>`,
		`<a href="javascript:alert(1)">x</a>`, `<iframe srcdoc="<script>alert(1)</script>">`,
		`<math><mtext></table><img src=x onerror=alert(1)>`, `=cmd|' /C calc'!A0`,
		`<base href="//evil.example/">`, `<meta http-equiv=refresh content=0>`,
		`<style>*{display:none}</style>`, `<link rel=stylesheet href=//evil.example>`,
		`' autofocus onfocus='alert(1)`, `%3Cscript%3E`, `\u003cscript\u003e`, `?link=x&done=deleted`,
		`../../admin`, `//evil.example/`, strings.Repeat("a", 200),
	}
	var all []string
	for i, shape := range shapes {
		all = append(all, fmt.Sprintf("n%d %s", i, shape))
		for j, c := range unseen {
			if (i+j)%3 == 0 { // so that each character comes with several shapes
				all = append(all, fmt.Sprintf("n%d-%d %s", i, j, string(c)+shape))
			}
		}
	}
	return all
}

// unseen are characters that show nothing, or change how others show.
var unseen = []rune("\u202e\u2066\u2069\u200b\u200d\ufeff\u2028\u2029\u00ad\u3164\u180f\ufe0f\u115f" +
	"\U000e0041\U00016fe4\U0001107f\u2800\u00a0\u061c\u2067")

// controls can't be in names and keys, and can in payloads and answers.
const controls = "\x00\x1b\x7f\b\f\u0085"

// mirror is a network whose endpoints answer with the text that they get.
type mirror struct{}

func (mirror) RoundTrip(r *http.Request) (*http.Response, error) {
	var body struct{ Payload struct{ Text string } }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: 500, Request: r, Header: http.Header{"X-Echo": {`<b>"'&`}},
		Body: io.NopCloser(strings.NewReader(body.Payload.Text))}, nil
}

// What others write is text on every page, for a customer and the operator, and what can't be seen
// in it shows: names, tenants, URLs, patterns, keys, payloads, answers, the catalogue, and whatever
// a request has.
func TestHostileText(t *testing.T) {
	all := corpus()
	if len(all) < 200 {
		t.Fatalf("the corpus has %d texts", len(all))
	}
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		Transport: mirror{}, Logger: slog.New(slog.DiscardHandler), MaxResponse: store.MaxResponse,
		AttemptDetail: dispatcher.DetailOfAll,
		EventTypes: []events.Type{{Name: "order.created", Description: strings.Join(all, " "),
			Schema:  marshal(t, map[string]any{"description": all}),
			Example: marshal(t, all)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	h := &host{t: t, d: d}
	for i, text := range all {
		if testing.Short() && i%4 != 0 {
			continue
		}
		mux := http.NewServeMux()
		who := func(r *http.Request) (console.Access, error) {
			return console.Access{Tenant: text, AnyTenant: r.Header.Get("X-Operator") != "",
				May: console.MayAll, Actor: text}, nil
		}
		if err := console.Mount(mux, "/admin/hooks/", d, who,
			&console.Options{Title: text, Environment: text}); err != nil {
			t.Fatal(err)
		}
		h.handler = mux
		h.showsAsText(text, i%10 == 0)
	}
}

// showsAsText gives a tenant the text wherever it can be, and looks at every page. If thorough, it
// is an operator too, asks with it and sends it in forms; the pages of the catalogue, which are
// long, have all texts at once.
func (h *host) showsAsText(text string, thorough bool) {
	t := h.t
	t.Helper()
	sub, err := h.d.Subscribe(t.Context(), store.Subscription{
		Tenant: text, Name: text, URL: "https://a.example/" + url.PathEscape(text) + "?secret",
		Headers: map[string]string{"X-Text": "value"},
	})
	if err != nil {
		t.Fatal(err)
	}
	e := testEvent(text, "order-1")
	e.Key, e.Payload = text, marshal(t, map[string]string{"text": text + controls, text: text})
	if err := h.d.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	h.eventually("the first attempt", func() bool {
		attempts, err := h.d.Attempts(t.Context(), sub.ID, e.ID)
		return err == nil && len(attempts) > 0
	})
	pages, query := somePages(sub.ID, "order-1"), url.QueryEscape(text)
	if thorough {
		pages = append(pages, "event?id="+query, "list?text="+query+"&type="+query,
			"deliveries?type="+query+"&since="+query+"&state="+query, "webhook?id="+query,
			"new?tenant="+query, "progress?id="+sub.ID+"&cursor="+query+"&sent="+query,
			"example?type=order.created&text="+query, "example?type="+query)
	}
	want := shown.Line(text)
	for _, operator := range []string{"", "1"} {
		for _, page := range pages {
			name, _, _ := strings.Cut(page, "?")
			if !thorough && (operator != "" || name == "types" || name == "example") {
				continue
			}
			body := h.get(page, "X-Operator", operator).body
			seen := checkMarkup(t, page, body)
			if !strings.Contains(seen, want) { // the title has it, on every page
				t.Errorf("%q: %s does not show %q", text, page, want)
			}
			// A form's fields have what was entered, and the page of a key a key.
			if at := strings.IndexFunc(seen, isUnseen); at >= 0 {
				t.Errorf("%q: %s shows %q", text, page, seen[at:min(at+20, len(seen))])
			}
		}
		if !thorough {
			continue
		}
		for page, form := range actions(sub.ID, "order-1") {
			for name := range form {
				hostile := maps.Clone(form)
				hostile.Set(name, text)
				a := h.do(http.MethodPost, page, hostile, "X-Operator", operator)
				// The filter alone is tested, and nothing is stored.
				if other := page == "try" && name == "url"; a.StatusCode < 400 && !other {
					t.Errorf("%q as the %s of %s: got %d, want it refused", text, name, page,
						a.StatusCode)
				}
				checkMarkup(t, "POST "+page, a.body)
			}
		}
		form := url.Values{"url": {text}, "name": {text}, "patterns": {text}, "tenant": {text},
			"type": {text}, "hn": {text}, "hv": {text}, "ho": {text}}
		a := h.do(http.MethodPost, "new", form, "X-Operator", operator)
		if a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%q as a form: got %d, want 422", text, a.StatusCode)
		}
		checkMarkup(t, "POST new", a.body)
	}
	seen := checkMarkup(t, "delivery", h.must("delivery?id="+sub.ID+"&event=order-1"))
	if answer := shown.Block(text + controls); !strings.Contains(seen, answer) {
		t.Errorf("%q: the answer does not show as %q", text, answer)
	}
	if err := h.d.Delete(t.Context(), sub.ID); err != nil {
		t.Fatal(err)
	}
}

// isUnseen reports whether a character of a page's text should have been an escape.
func isUnseen(c rune) bool {
	return slices.Contains(unseen, c) || strings.ContainsRune(controls, c)
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
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
