package browsertest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console"
	"github.com/outhook/outhook/httpapi/console/browsertest/internal/browser"
	"github.com/outhook/outhook/httpapi/console/browsertest/internal/busy"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store/memstore"
)

// click presses on the first element that a CSS selector finds.
func click(t *testing.T, b *browser.Browser, selector string) {
	t.Helper()
	if err := b.Do(chromedp.Click(selector)); err != nil {
		t.Fatalf("click on %s: %v", selector, err)
	}
}

// enter types a text into a field.
func enter(t *testing.T, b *browser.Browser, selector, text string) {
	t.Helper()
	if err := b.Do(chromedp.SendKeys(selector, text)); err != nil {
		t.Fatalf("type into %s: %v", selector, err)
	}
}

// mark gives the first element for which a condition on it holds the ID "marked".
func mark(t *testing.T, b *browser.Browser, selector, condition string) {
	t.Helper()
	found, err := browser.Evaluate[bool](b, `{
		const found = [...document.querySelectorAll("`+selector+`")].find(it => `+condition+`);
		if (found) found.id = "marked";
		Boolean(found)
	}`)
	if err != nil || !found {
		t.Fatalf("there is no %s with %s: %v", selector, condition, err)
	}
}

// An operator is called at three in the morning: acme's billing did not get order 4711. A search, a
// click on the delivery and a click that sends it again are all that it takes; why it did not
// arrive is said on the way.
func TestOrderThatDidNotArrive(t *testing.T) {
	open(t)
	if err := one.Open("/admin/", browser.Looks()[1]); err != nil {
		t.Fatal(err)
	}
	clicks := 0
	enter(t, one.Browser, "#find", busy.Order+"\r")
	clicks++ // to press Enter
	wait(t, `location.pathname === "/admin/event" && document.body.innerText.includes("Who got it")`)
	mark(t, one.Browser, "a.row", `it.closest("tr").innerText.includes("Billing") &&
		it.closest("table").caption.innerText.includes("of acme")`)
	click(t, one.Browser, "#marked")
	clicks++
	wait(t, `location.pathname === "/admin/delivery" && document.body.innerText.includes("503") &&
		document.body.innerText.includes("The endpoint has a fault of its own")`)
	click(t, one.Browser, "form[data-redeliver] button")
	clicks++
	wait(t, `document.querySelector("[role=status]").innerText.includes("Sent again")`)
	if clicks > 3 {
		t.Errorf("it takes %d clicks, want 3 at most", clicks)
	}
	if trouble := one.Trouble(); len(trouble) > 0 {
		t.Errorf("got %q", trouble)
	}
}

// receiver is a customer's program that verifies what arrives by the key that it was given.
type receiver struct {
	key                atomic.Pointer[signing.Secret]
	verified, rejected atomic.Int32
}

// ServeHTTP takes a delivery.
func (x *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	key := x.key.Load()
	if err != nil || key == nil ||
		(signing.Verifier{Keys: []signing.Secret{*key}}).Verify(r.Header, body) != nil {
		x.rejected.Add(1)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	x.verified.Add(1)
}

// press presses Tab until the element has the focus that a selector finds, and then a key. Each
// element on the way shows that it has the focus.
func press(t *testing.T, b *browser.Browser, selector, key string) {
	t.Helper()
	const most = 60
	for range most {
		if err := b.Do(chromedp.KeyEvent("\t")); err != nil {
			t.Fatal(err)
		}
		at, err := browser.Evaluate[string](b, `{
			const at = document.activeElement, style = getComputedStyle(at);
			const shown = at === document.body ||
				style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
			shown ? String(at.matches('`+selector+`')) : at.outerHTML
		}`)
		switch {
		case err != nil:
			t.Fatal(err)
		case at == "true":
			if err := b.Do(chromedp.KeyEvent(key)); err != nil {
				t.Fatal(err)
			}
			return
		case at != "false":
			t.Fatalf("it can't be seen that this has the focus: %s", at)
		}
	}
	t.Fatalf("%s has not got the focus by pressing Tab %d times", selector, most)
}

// A customer adds its first webhook, gives its program the key, sends a test, and sees the first
// delivery arrive: on a real network, in a browser, by the keyboard alone, with nothing but what
// the pages say. There are so few things to do that nobody takes two minutes.
func TestFirstWebhook(t *testing.T) {
	endpoint := new(receiver)
	server := httptest.NewServer(endpoint)
	defer server.Close()
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		AllowLoopback: true, EventTypes: busy.Types(), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	defer func() { stop(); <-done }()
	customer := func(*http.Request) (console.Access, error) {
		return console.Access{Tenant: "newcomer", May: console.MayAll}, nil
	}
	mux := http.NewServeMux()
	if err := console.Mount(mux, "/hooks/", d, customer, nil); err != nil {
		t.Fatal(err)
	}
	b := newBrowser(t, mux)
	if err := b.Open("/hooks/", browser.Looks()[0]); err != nil {
		t.Fatal(err)
	}
	things := 0
	do := func(selector, key string) {
		t.Helper()
		things++
		press(t, b, selector, key)
	}
	const loaded = ` && document.readyState === "complete"`
	do(".empty .button", "\r")
	waitIn(t, b, `location.pathname === "/hooks/new"`+loaded)
	do("#url", server.URL+"/webhooks")
	do("#name", "My shop")
	do(`input[value="order.created"]`, " ")
	do("form.edit button.main", "\r")
	waitIn(t, b, `location.pathname === "/hooks/key"`+loaded)
	checkLooks(t, b)
	shown, err := browser.Evaluate[string](b, `document.querySelector(".secret code").innerText`)
	if err != nil || !strings.HasPrefix(shown, "whsec_") {
		t.Fatalf("got %q, %v, want a key to copy", shown, err)
	}
	key := signing.Secret(shown)
	endpoint.key.Store(&key)
	do("form[action=test] button", "\r")
	waitIn(t, b, `document.querySelector("#test-title")?.innerText.includes("Test succeeded: 200")`+
		loaded)
	checkLooks(t, b)
	e, err := events.New("order.created", map[string]string{"id": "4711"})
	if err != nil {
		t.Fatal(err)
	}
	e.Tenant = "newcomer"
	if err := d.Publish(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	do("nav.bar a[href=deliveries]", "\r")
	waitIn(t, b, `location.pathname === "/hooks/deliveries"`+loaded)
	// The page is opened again until the delivery has arrived, as somebody does who waits.
	waitIn(t, b, `document.querySelector("a.row b")?.innerText === "delivered" ||
		(document.readyState === "complete" && location.reload(), false)`)
	do("a.row", "\r")
	waitIn(t, b, `location.pathname === "/hooks/delivery" && document.body.innerText.includes("4711")`)
	if things > 8 {
		t.Errorf("it takes %d things to do, want 8 at most", things)
	}
	if endpoint.verified.Load() != 2 || endpoint.rejected.Load() != 0 {
		t.Errorf("got %d deliveries that verify and %d that don't, want the test and the event",
			endpoint.verified.Load(), endpoint.rejected.Load())
	}
}

// The keyboard alone finds an order and sends it again: a search, the row, Enter, r. It asks before
// it sends.
func TestRedeliverByKeys(t *testing.T) {
	open(t)
	if err := one.Open("/portal/", browser.Looks()[0]); err != nil {
		t.Fatal(err)
	}
	const ready = `document.readyState === "complete" && !document.querySelector("[data-help]").hidden`
	wait(t, ready)
	// The protocol types a character though the page has taken its key; a keyboard does not.
	if err := one.Do(chromedp.KeyEvent("/"), chromedp.KeyEvent("\b"),
		chromedp.KeyEvent(busy.Order+"\r")); err != nil {
		t.Fatal(err)
	}
	wait(t, `location.pathname === "/portal/event" && `+ready)
	mark(t, one.Browser, "a.row", `it.closest("tr").innerText.includes("Billing")`)
	for range 20 {
		if err := one.Do(chromedp.KeyEvent("j")); err != nil {
			t.Fatal(err)
		}
		there, err := browser.Evaluate[bool](one.Browser, `document.activeElement.id === "marked"`)
		if err != nil {
			t.Fatal(err)
		}
		if there {
			break
		}
	}
	if err := one.Do(chromedp.KeyEvent("\r")); err != nil {
		t.Fatal(err)
	}
	wait(t, `location.pathname === "/portal/delivery" && `+ready)
	if err := one.Do(chromedp.KeyEvent("r")); err != nil {
		t.Fatal(err)
	}
	wait(t, `document.querySelector("[role=status]")?.innerText.includes("Sent again")`)
	if asked := one.Asked(); len(asked) != 1 || !strings.Contains(asked[0], "Redeliver") {
		t.Errorf("got the questions %q, want one before it is sent", asked)
	}
}

// Rows are ticked one by one or all at once, and the button says how many are.
func TestSelectRows(t *testing.T) {
	open(t)
	if err := one.Open("/portal/deliveries?state=delivered", browser.Looks()[0]); err != nil {
		t.Fatal(err)
	}
	wait(t, `!document.querySelector("[data-all]").hidden`)
	click(t, one.Browser, "tbody input[name=d]")
	wait(t, `document.querySelector("[data-count]").innerText === "Redeliver selected (1)"`)
	click(t, one.Browser, "[data-all]")
	wait(t, `document.querySelector("[data-count]").innerText === "Redeliver selected (50)" &&
		document.querySelectorAll("tbody input:checked").length === 50`)
	click(t, one.Browser, "[data-all]")
	wait(t, `document.querySelector("[data-count]").innerText === "Redeliver selected"`)
}

// A form with mistakes, what its filter takes, and the pages of a key and of a test are accessible
// too, in every look.
func TestFormsAreAccessible(t *testing.T) {
	open(t)
	if err := one.Open("/portal/new", browser.Looks()[0]); err != nil {
		t.Fatal(err)
	}
	// A header without a value, a URL that is denied, and a type that nobody publishes.
	enter(t, one.Browser, "#url", "http://127.0.0.1/in")
	enter(t, one.Browser, "#patterns", "nothing.*")
	enter(t, one.Browser, "input[name=hn]", "Host")
	click(t, one.Browser, "form.edit button.main")
	wait(t, `document.querySelectorAll(".error").length > 0 && document.readyState === "complete"`)
	checkLooks(t, one.Browser)
	enter(t, one.Browser, "input[name=hv]", "example")
	click(t, one.Browser, "form.edit button.main")
	wait(t, `document.querySelector("#url-error") && document.readyState === "complete"`)
	checkLooks(t, one.Browser)
	if err := one.Open("/portal/new", browser.Looks()[0]); err != nil {
		t.Fatal(err)
	}
	click(t, one.Browser, "button[formaction^=try]")
	wait(t, `document.querySelector("#tests td") && document.readyState === "complete"`)
	checkLooks(t, one.Browser)

	if err := one.Open("/portal/list?text=erp", browser.Looks()[0]); err != nil {
		t.Fatal(err)
	}
	click(t, one.Browser, "a.row")
	wait(t, `location.pathname === "/portal/webhook"`)
	click(t, one.Browser, `a[href^="rotate"]`)
	wait(t, `location.pathname === "/portal/rotate"`)
	click(t, one.Browser, "form[action=rotate] button")
	wait(t, `location.pathname === "/portal/key" && document.querySelector(".secret code") !== null`)
	checkLooks(t, one.Browser)
	click(t, one.Browser, "form[action=test] button")
	wait(t, `document.querySelector("#test") && document.readyState === "complete"`)
	checkLooks(t, one.Browser)
	if trouble := one.Trouble(); len(trouble) > 0 {
		t.Errorf("got %q", trouble)
	}
}
