package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console"
	"github.com/outhook/outhook/httpapi/console/browsertest/internal/browser"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// corpus returns texts that try to be more than text: to run, to load, to hide, to end what is
// around them. Each names itself, so that it can be found.
func corpus() []string {
	const run = `document.title="ran"`
	shapes := []string{
		`<script>RUN</script>`, `<img src=x onerror='RUN'>`, `<svg onload='RUN'>`,
		`"><script>RUN</script>`, `' onfocus='RUN' autofocus x='`, `</pre><script>RUN</script>`,
		`</textarea><img src=x onerror='RUN'>`, `</title><script>RUN</script>`,
		`<a href="javascript:RUN">x</a>`, `<iframe src="javascript:RUN"></iframe>`,
		`<style>@import "https://evil.example/x.css"</style>`, `<img src="https://evil.example/x">`,
		`<link rel=stylesheet href=https://evil.example/x.css>`, `<meta http-equiv=refresh content=0>`,
		`<base href="https://evil.example/">`, `<form action="https://evil.example/"><button>x`,
		`<!--`, `<![CDATA[`, `{{.}}`, `\u003cscript\u003eRUN\u003c/script\u003e`,
		`&lt;script&gt;RUN&lt;/script&gt;`, `<math><mtext><script>RUN</script>`,
		`<template><script>RUN</script></template>`, `<object data="javascript:RUN">`,
		`<details open ontoggle='RUN'>`, `<video><source onerror='RUN'>`,
	}
	before := []string{"", "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u2028",
		"\ufe0f", "\u180f", "\U00016fe4", "\U0001107f"}
	var all []string
	for i, shape := range shapes {
		for j, h := range before {
			all = append(all, fmt.Sprintf("n%d-%d ", i, j)+h+strings.ReplaceAll(shape, "RUN", run))
		}
	}
	return all
}

// hidden are characters of the corpus that can't be seen.
const hidden = "\u202e\u2066\u200b\u200d\ufeff\u00ad\u2028\ufe0f\u180f\U00016fe4\U0001107f"

// What others write is text in a browser too: nothing of it runs or loads, and what is seen is what
// is there, with escapes in place of what can't be seen.
func TestHostileCorpus(t *testing.T) {
	all := corpus()
	if len(all) < 200 {
		t.Fatalf("the corpus has %d texts", len(all))
	}
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		Transport: echo{}, Logger: slog.New(slog.DiscardHandler),
		AttemptDetail: dispatcher.DetailOfAll, MaxResponse: store.MaxResponse,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	sub, err := d.Subscribe(t.Context(), store.Subscription{URL: "https://a.example/<x>?q=secret"})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	who := func(*http.Request) (console.Access, error) {
		return console.Access{May: console.MayAll}, nil
	}
	if err := console.Mount(mux, "/", d, who, nil); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, mux)
	checkNames(t, d, b, all)
	others := []string{"webhook?id=", "deliveries?id=", "edit?id=", "delete?id=", "rotate?id=",
		"replay?state=delivered&id=", "disable?id="}
	const together = 48 // in one payload and one answer, so that there are few pages to open
	for i, texts := range slices.Collect(slices.Chunk(all, together)) {
		id := fmt.Sprintf("e%d", i)
		payload := `{"text":` + quoted(t, strings.Join(texts, "\n"))
		var inJSON []string
		for _, text := range texts {
			payload += "," + quoted(t, text) + `:"key"`
			inJSON = append(inJSON, quoted(t, text))
		}
		if err := d.Publish(t.Context(), events.Event{ID: id, Type: "a.b", Time: time.Now(),
			Payload: []byte(payload + "}"), Key: texts[0]}); err != nil {
			t.Fatal(err)
		}
		waitAttempt(t, d, sub.ID, id)
		described := strings.Join(texts[:10], "\n")
		if _, err := d.Update(t.Context(), sub.ID, func(s *store.Subscription) error {
			s.Name, s.Description = texts[i%len(texts)], described
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		event, delivery := "/event?id="+id, "/delivery?id="+sub.ID+"&event="+id
		for _, page := range []string{event, delivery, "/" + others[i%len(others)] + sub.ID} {
			if err := b.Open(page, browser.Looks()[0]); err != nil {
				t.Fatal(err)
			}
			checkSeen(t, b, page, "html", nil)
			switch page {
			case event:
				checkSeen(t, b, page, "main", inJSON)
			case delivery:
				checkSeen(t, b, page, "[aria-labelledby=payload]", inJSON)
				checkSeen(t, b, page, "[aria-labelledby=attempts]", texts)
			}
			edited, err := browser.Evaluate[string](b,
				`document.querySelector("#description")?.value ?? ""`)
			if err != nil || strings.HasPrefix(page, "/edit") && edited != described {
				t.Errorf("%s: got the field %q, %v, want %q", page, edited, err, described)
			}
			if trouble := b.Trouble(); len(trouble) > 0 {
				t.Errorf("%s: got %q", page, trouble)
			}
		}
	}
}

// quoted returns a text in JSON, in which nothing is an escape that need not be.
func quoted(t *testing.T, text string) string {
	t.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// checkSeen checks that a part of the page that is open has texts, with escapes of what can't be
// seen, and that nothing of them has run. It returns what is seen.
func checkSeen(
	t *testing.T, b *browser.Browser, page, selector string, texts []string,
) string {
	t.Helper()
	seen, err := browser.Evaluate[string](b, `{
		const part = document.querySelector("`+selector+`").cloneNode(true);
		// What is being edited must be as it is.
		for (const field of part.querySelectorAll("textarea")) field.remove();
		document.title + "\n" + part.textContent
	}`)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(seen, "ran") || strings.ContainsAny(seen, hidden) {
		t.Errorf("%s: got %q", page, seen)
	}
	for _, text := range texts {
		if shown := escaped(text); !strings.Contains(seen, shown) {
			t.Errorf("%s: %q is not seen in %s, in %q", page, shown, selector, seen)
			break // the others are most likely not seen either
		}
	}
	return seen
}

// checkNames makes a webhook of each text, by its name and in its URL, and looks at the list of
// them: a page shows the texts, and nothing else happens.
func checkNames(t *testing.T, d *dispatcher.Dispatcher, b *browser.Browser, all []string) {
	t.Helper()
	for _, text := range all {
		if _, err := d.Subscribe(t.Context(), store.Subscription{Name: text,
			URL:    "https://a.example/" + url.PathEscape(text) + "?q=secret",
			Events: []string{"nothing.like.it"}}); err != nil {
			t.Fatal(err)
		}
	}
	var seen strings.Builder
	for page := "list"; page != ""; {
		if err := b.Open("/"+page, browser.Looks()[0]); err != nil {
			t.Fatal(err)
		}
		seen.WriteString(checkSeen(t, b, page, "html", nil))
		var err error
		page, err = browser.Evaluate[string](b,
			`document.querySelector("a[rel=next]")?.getAttribute("href") ?? ""`)
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range all {
		if shown := escaped(text); !strings.Contains(seen.String(), shown) {
			t.Errorf("no page of the list shows %q", shown)
		}
	}
}

// escaped is the text as it is to be seen.
func escaped(text string) string {
	return strings.NewReplacer("\ufe0f", `\ufe0f`, "\u180f", `\u180f`,
		"\U00016fe4", `\U00016fe4`, "\U0001107f", `\U0001107f`, "\u202e", `\u202e`, "\u2066", `\u2066`,
		"\u200b", `\u200b`,
		"\u200d", `\u200d`, "\ufeff", `\ufeff`, "\u00ad", `\u00ad`, "\u2028", `\u2028`).Replace(text)
}

// echo is an endpoint that answers with the text of the payload.
type echo struct{}

// RoundTrip implements http.RoundTripper.
func (echo) RoundTrip(r *http.Request) (*http.Response, error) {
	var body struct{ Payload struct{ Text string } }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: 200, Header: http.Header{"X-Echo": {"<script>"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(body.Payload.Text))}, nil
}

// waitAttempt waits until a delivery was attempted.
func waitAttempt(t *testing.T, d *dispatcher.Dispatcher, id, event string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(time.Minute)
	for {
		attempts, err := d.Attempts(t.Context(), id, event)
		if err != nil {
			t.Fatal(err)
		}
		if len(attempts) > 0 {
			return
		}
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("waited a minute for an attempt of %s", event)
		}
	}
}
