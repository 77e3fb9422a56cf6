package browsertest

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console"
	"github.com/outhook/outhook/httpapi/console/browsertest/internal/browser"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// fine is a network in which everything works, and endpoints agree to get deliveries if they are
// asked; but for those on the host late.example while that is down.
type fine struct{ down atomic.Bool }

// RoundTrip implements http.RoundTripper.
func (n *fine) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	status, answer := http.StatusOK, "thanks"
	if challenge, ok := signing.Challenge(body); ok {
		answer = challenge
	}
	if r.URL.Host == "late.example" && n.down.Load() {
		status, answer = http.StatusServiceUnavailable, "later"
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Request: r,
		Body: io.NopCloser(strings.NewReader(answer))}, nil
}

// runner does things in a browser as somebody does who has a mouse and a keyboard, and ends the
// test if one of them can't be done.
type runner struct {
	*browser.Browser
	t       *testing.T
	d       *dispatcher.Dispatcher
	network fine

	mu     sync.Mutex
	posted map[string]bool // actions
}

func newRunner(t *testing.T, scripts bool) *runner {
	t.Helper()
	r := &runner{t: t, posted: make(map[string]bool)}
	mux := http.NewServeMux()
	r.d = r.mount(mux, "/portal/", dispatcher.Verification{})
	r.mount(mux, "/proof/", dispatcher.Verification{Method: dispatcher.VerifyChallenge})
	r.Browser = newBrowser(t, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Method == http.MethodPost {
			r.mu.Lock()
			r.posted[path.Base(q.URL.Path)] = true
			r.mu.Unlock()
		}
		mux.ServeHTTP(w, q)
	}))
	r.must(r.SetScripts(scripts))
	return r
}

// mount mounts the console of a dispatcher that delivers.
func (r *runner) mount(
	mux *http.ServeMux, at string, verify dispatcher.Verification,
) *dispatcher.Dispatcher {
	r.t.Helper()
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		Transport: &r.network, Logger: slog.New(slog.DiscardHandler), Verify: verify,
		EventTypes: []events.Type{
			{Name: "order.created", Example: []byte(`{"order":4711}`)},
			{Name: "order.paid"}, {Name: "user.created"},
		},
	})
	r.must(err)
	ctx, stop := context.WithCancel(r.t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	r.t.Cleanup(func() { stop(); <-done })
	who := func(*http.Request) (console.Access, error) {
		return console.Access{Tenant: "acme", May: console.MayAll, Actor: "grace"}, nil
	}
	r.must(console.Mount(mux, at, d, who, nil))
	return d
}

// allActions returns the names of the pages that take a POST, by the table of them.
func allActions(t *testing.T) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../pages.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		page, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		fields, ok := page.Value.(*ast.CompositeLit)
		name, isText := page.Key.(*ast.BasicLit)
		if !ok || !isText {
			return true
		}
		for _, field := range fields.Elts {
			if f, ok := field.(*ast.KeyValueExpr); ok && f.Key.(*ast.Ident).Name == "post" {
				names = append(names, strings.Trim(name.Value, `"`))
			}
		}
		return false
	})
	if len(names) < 15 {
		t.Fatalf("only %q were found", names)
	}
	return names
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
			t.Parallel() // each in a tab of its own
			r := newRunner(t, scripts)
			r.open("")
			if ran, err := browser.Evaluate[bool](r.Browser,
				`!document.querySelector("[data-help]").hidden`); err != nil || ran != scripts {
				t.Fatalf("the script has run: %t, %v; want %t", ran, err, scripts)
			}
			r.webhook()
			r.deliveries()
			r.end()
			r.proof()
			for _, name := range allActions(t) {
				if !r.posted[name] {
					t.Errorf("nobody has pressed a button for the action %q", name)
				}
			}
		})
	}
}

// proof adds a webhook where endpoints must agree, whose endpoint does not, and has it asked again
// when it does.
func (r *runner) proof() {
	r.t.Helper()
	r.network.down.Store(true)
	r.must(r.Open("/proof/new", browser.Looks()[0]))
	r.fill("#url", "https://late.example/in")
	r.follow(".edit button.main", 200, "It is not shown again.")
	r.follow(`.acts a[href^="webhook"]`, 200, "The endpoint has not agreed yet")
	r.follow("form[action=verify] button", 200, "Test failed: 503")
	r.network.down.Store(false)
	r.follow("form[action=verify] button", 200, "The endpoint has agreed.")
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
	r.must(r.Do(chromedp.SendKeys(chromedp.CSS("#filter"), `{"total": {"$gte": 100}}`)))
	r.follow("button[formaction^=try]", 200, "No recent events to test with")
	r.follow(".edit .acts a.button", 200, "nothing sent yet") // which changes nothing
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
	r := &runner{Browser: b, t: t, d: d}
	link := func(a console.Access) string {
		to, err := links.URL(b.URL+"/portal/", a)
		r.must(err)
		return strings.TrimPrefix(to, b.URL+"/portal/")
	}
	r.open(link(console.Access{Tenant: "acme", Actor: "grace"}))
	r.shows("You are grace")
	r.open(link(console.Access{Tenant: "globex", Actor: "linus"}))
	r.shows("You are here as grace (acme)")
	checkLooks(t, b)
	r.follow("form[method=post] button.main", 200, "You are linus")
	r.open("list")
	r.shows("You are linus")
}
