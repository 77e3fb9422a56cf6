package browsertest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console"
	"github.com/outhook/outhook/httpapi/console/browsertest/internal/browser"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// fine is a network in which everything works.
type fine struct{}

// RoundTrip implements http.RoundTripper.
func (fine) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Request: r,
		Body: io.NopCloser(strings.NewReader("thanks"))}, nil
}

// runner does things in a browser as somebody does who has a mouse and a keyboard, and ends the
// test if one of them can't be done.
type runner struct {
	*browser.Browser
	t *testing.T
	d *dispatcher.Dispatcher
}

func newRunner(t *testing.T, scripts bool) *runner {
	t.Helper()
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		Transport: fine{}, Logger: slog.New(slog.DiscardHandler), EventTypes: []events.Type{
			{Name: "order.created", Example: []byte(`{"order":4711}`)},
			{Name: "order.paid"}, {Name: "user.created"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	mux := http.NewServeMux()
	who := func(*http.Request) (console.Access, error) {
		return console.Access{Tenant: "acme", May: console.MayAll, Actor: "grace"}, nil
	}
	if err := console.Mount(mux, "/portal/", d, who, nil); err != nil {
		t.Fatal(err)
	}
	r := &runner{newBrowser(t, mux), t, d}
	r.must(r.SetScripts(scripts))
	return r
}

func (r *runner) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// open opens a page by its address.
func (r *runner) open(page string) {
	r.t.Helper()
	r.must(r.Open("/portal/"+page, browser.Looks()[0]))
}

// follow clicks, and wants a page of this status that has this text.
func (r *runner) follow(selector string, status int64, text string) {
	r.t.Helper()
	got, err := r.Follow(selector)
	r.must(err)
	if got != status {
		r.t.Fatalf("a click on %s: got %d, want %d, in\n%s", selector, got, status, r.text())
	}
	r.shows(text)
}

func (r *runner) fill(selector, text string) {
	r.t.Helper()
	r.must(r.Type(selector, text))
}

func (r *runner) tick(selector string) {
	r.t.Helper()
	r.must(r.Click(selector))
}

func (r *runner) text() string {
	r.t.Helper()
	text, err := browser.Evaluate[string](r.Browser,
		`location.pathname + location.search + "\n" + (document.body?.innerText ?? "")`)
	r.must(err)
	return text
}

func (r *runner) shows(text string) {
	r.t.Helper()
	if got := r.text(); !strings.Contains(got, text) {
		r.t.Fatalf("got %s\nwant %q in it", got, text)
	}
}

// publish publishes an event and waits until it was delivered.
func (r *runner) publish(id string) {
	r.t.Helper()
	r.must(r.d.Publish(r.t.Context(), events.Event{ID: id, Type: "order.created", Tenant: "acme",
		Time: time.Now(), Payload: []byte(`{}`)}))
	r.eventually(id+" to be delivered", func() bool {
		return r.state(id) == store.Delivered
	})
}

func (r *runner) state(id string) store.State {
	r.t.Helper()
	page, err := r.d.Deliveries(r.t.Context(), store.DeliveryQuery{Tenant: "acme", EventID: id})
	r.must(err)
	if len(page.Items) != 1 {
		return ""
	}
	return page.Items[0].State
}

// attempts returns how many attempts a delivery of the only webhook has had.
func (r *runner) attempts(id string) int {
	r.t.Helper()
	page, err := r.d.Deliveries(r.t.Context(), store.DeliveryQuery{Tenant: "acme", EventID: id})
	r.must(err)
	return page.Items[0].Attempts
}

func (r *runner) eventually(what string, is func() bool) {
	r.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(time.Minute)
	for !is() {
		select {
		case <-tick.C:
		case <-timeout:
			r.t.Fatalf("waited a minute for %s", what)
		}
	}
}

// Every action is done by clicking and typing, with the script and without it.
func TestActions(t *testing.T) {
	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			r := newRunner(t, scripts)
			r.open("")
			if ran, err := browser.Evaluate[bool](r.Browser,
				`!document.querySelector("[data-help]").hidden`); err != nil || ran != scripts {
				t.Fatalf("the script has run: %t, %v; want %t", ran, err, scripts)
			}
			r.webhook()
			r.deliveries()
			r.end()
		})
	}
}

// webhook adds a webhook, tests, edits, pauses and resumes it, and gives it a new key.
func (r *runner) webhook() {
	r.t.Helper()
	r.follow(`a[href^="new"]`, 200, "Add a webhook")
	r.fill("#url", "ftp://shop.example/in")
	r.fill("#name", "Shop")
	r.tick(`input[name=type][value="order.*"]`)
	r.follow(".edit button.main", 422, "Something is to be corrected below.")
	r.fill("#url", "https://shop.example/in")
	r.follow(".edit button.main", 200, "It is not shown again.")
	r.shows("whsec_")
	r.follow("form[action=test] button", 200, "Test succeeded: 200")
	r.follow(`a[href^="edit"]`, 200, "Edit Shop")
	r.fill("#name", "Shop 2")
	r.fill("input[name=hn]", "X-Token")
	r.fill("input[name=hv]", "secret")
	r.follow(".edit button.main", 200, "The changes were saved.")
	r.shows("Shop 2")
	r.follow("form[action=pause] button", 200, "The webhook is paused.")
	r.follow("form[action=resume] button", 200, "The webhook goes on.")
	r.follow(`a[href^="rotate"]`, 200, "New key for Shop 2")
	r.follow("form[action=rotate] button.main", 200, "It is not shown again.")
	r.follow(`a[href="types"]`, 200, "Event types")
	r.follow(`a[href^="example"]`, 200, "What is sent as the payload")
	r.follow("form[action=example] button.main", 200, "Test of Shop 2 succeeded: 200")
	r.open("list")
	r.fill("#text", "shop 2")
	r.follow("form.filter button", 200, "Shop 2")
}

// deliveries finds, redelivers and replays deliveries, and erases one.
func (r *runner) deliveries() {
	r.t.Helper()
	r.publish("order-1")
	r.publish("order-2")
	r.open("")
	r.fill("#find", "order-1")
	r.must(r.Do(chromedp.KeyEvent("\r")))
	r.eventually("the page of the event", func() bool {
		return strings.Contains(r.text(), "Who got it, and why others did not")
	})
	r.follow("a.row", 200, "Redeliver")
	r.follow("form[data-redeliver] button", 200, "Sent again.")
	r.eventually("the second attempt", func() bool { return r.attempts("order-1") == 2 })
	r.open("deliveries")
	r.tick(`input[name=d][value$="/order-1"]`)
	r.tick(`input[name=d][value$="/order-2"]`)
	r.follow("form[action=redeliver] button", 200, "Sent again.")
	r.eventually("both to be sent", func() bool {
		return r.attempts("order-1") == 3 && r.attempts("order-2") == 2
	})
	r.open("deliveries?state=delivered")
	r.follow(`a[href^="replay"]`, 200, "Replay 2 deliveries?")
	r.follow("form[action=replay] button.main", 200, "2 deliveries are pending again.")
	r.eventually("both to be replayed", func() bool {
		return r.attempts("order-1") == 4 && r.attempts("order-2") == 3
	})
	r.open("event?id=order-1")
	r.follow("a.row", 200, "Redeliver")
	r.follow(`a[href^="erase"]`, 200, "Erase event order-1?")
	r.follow("form[action=erase] button", 200, "What the event carried is erased.")
}

// end disables, enables and deletes the webhook.
func (r *runner) end() {
	r.t.Helper()
	r.open("list")
	r.follow("a.row", 200, "Shop 2")
	r.follow(`a[href^="disable"]`, 200, "Disable Shop 2?")
	r.follow("form[action=disable] button", 200, "The webhook is disabled.")
	r.follow("form[action=enable] button", 200, "The webhook is enabled.")
	r.follow(`a[href^="delete"]`, 200, "Delete Shop 2?")
	r.follow("form[action=delete] button", 200, "The webhook was deleted.")
	r.shows("Add the first webhook")
}

// A link lets a browser in on plain HTTP too, on its own machine, whose addresses browsers take for
// safe; and one of another account asks.
func TestLinkInChromium(t *testing.T) {
	d, err := dispatcher.New(memstore.New(), nil)
	if err != nil {
		t.Fatal(err)
	}
	links := &console.Link{Keys: [][]byte{make([]byte, console.MinLinkKey)}}
	mux := http.NewServeMux()
	if err := console.Mount(mux, "/portal/", d, links.Authorizer(nil), nil); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, mux)
	r := &runner{b, t, d}
	link := func(a console.Access) string {
		to, err := links.URL(b.URL+"/portal/", a)
		r.must(err)
		return strings.TrimPrefix(to, b.URL+"/portal/")
	}
	r.open(link(console.Access{Tenant: "acme", Actor: "grace"}))
	r.shows("You are grace")
	r.open(link(console.Access{Tenant: "globex", Actor: "linus"}))
	r.shows("You are here as grace (acme)")
	r.follow("form[method=post] button.main", 200, "You are linus")
	r.open("list")
	r.shows("You are linus")
}
