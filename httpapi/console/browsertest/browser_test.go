package browsertest

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/outhook/outhook/httpapi/console/browsertest/internal/browser"
)

//go:embed testdata/axe.min.js
var axe string

// violation is what axe says about a page.
type violation struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML string `json:"html"`
		Why  string `json:"failureSummary"`
	} `json:"nodes"`
}

const runAxe = `axe.run(document, {resultTypes: ["violations"], runOnly: {type: "tag", values:
	["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}})
	.then(result => JSON.stringify(result.violations))`

// Every page is accessible in both schemes and on a narrow screen, fits on it, and does nothing
// that it must not.
func TestPages(t *testing.T) {
	open(t)
	for _, look := range browser.Looks()[:3] { // colors do not depend on the width
		for _, page := range one.pages {
			t.Run(look.Name+"/"+page.Name, func(t *testing.T) {
				if err := one.Open(page.Path, look); err != nil {
					t.Fatal(err)
				}
				checkAxe(t, one.Browser)
				width, err := browser.Evaluate[int64](one.Browser, "document.documentElement.scrollWidth")
				if err != nil || width > look.Width {
					t.Errorf("it is %d wide, %v; want %d", width, err, look.Width)
				}
				if trouble := one.Trouble(); len(trouble) > 0 {
					t.Errorf("got %q", trouble)
				}
			})
		}
	}
}

func checkAxe(t *testing.T, b *browser.Browser) {
	t.Helper()
	if _, err := browser.Evaluate[string](b, axe+`;"loaded"`); err != nil {
		t.Fatal(err)
	}
	text, err := browser.Evaluate[string](b, runAxe)
	if err != nil {
		t.Fatal(err)
	}
	var all []violation
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		for _, n := range v.Nodes {
			t.Errorf("%s (%s): %s\n%s", v.ID, v.Help, n.HTML, n.Why)
		}
	}
}

// axe does find what is wrong, and so does the list of trouble; or else the tests above say
// nothing.
func TestBrokenPageIsNoticed(t *testing.T) {
	broken := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src *")
		fmt.Fprint(w, `<!doctype html><title>x</title><p style="color:#aaa">x</p>
			<img src="http://127.0.0.1:1/x.png"><script>alert(1)</script>`)
	})
	b, err := browser.New(t.Context(), broken)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Open("/", browser.Looks()[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := browser.Evaluate[string](b, axe+`;"loaded"`); err != nil {
		t.Fatal(err)
	}
	text, err := browser.Evaluate[string](b, runAxe)
	if err != nil || !strings.Contains(text, `"id":"image-alt"`) {
		t.Errorf("got %s, %v, want the image without a text", text, err)
	}
	trouble := strings.Join(b.Trouble(), "\n")
	for _, want := range []string{"127.0.0.1:1/x.png", "inline script", "inline style"} {
		if !strings.Contains(trouble, want) {
			t.Errorf("got %s, want %q in it", trouble, want)
		}
	}
}

// The first page is three requests, all to the host. The browser's own request for the host's icon
// is not of the page.
func TestFirstPage(t *testing.T) {
	open(t)
	for _, path := range []string{"/admin/", "/portal/"} {
		if err := one.Open(path, browser.Looks()[0]); err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(one.Requests(), func(url string) bool {
			return url == one.URL+"/favicon.ico"
		})
		if len(got) != 3 {
			t.Errorf("%s: got the requests %q, want 3", path, got)
		}
	}
}

// wait polls a script until it returns true.
func wait(t *testing.T, script string) {
	t.Helper()
	waitIn(t, one.Browser, script)
}

func waitIn(t *testing.T, b *browser.Browser, script string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(time.Minute)
	for {
		is, err := browser.Evaluate[bool](b, script)
		if err == nil && is {
			return
		}
		select {
		case <-tick.C:
		case <-timeout:
			at, _ := browser.Evaluate[string](b, `location.href + "\n" + document.body.innerText`)
			t.Fatalf("waited a minute for %s: %v, %v, at %s", script, is, err, at)
		}
	}
}

// The keyboard alone goes from the list to a webhook, and to a search.
func TestKeys(t *testing.T) {
	open(t)
	if err := one.Open("/portal/", browser.Looks()[0]); err != nil {
		t.Fatal(err)
	}
	wait(t, `!document.querySelector("[data-help]").hidden`) // the script has run
	if err := one.Do(chromedp.KeyEvent("j"), chromedp.KeyEvent("j")); err != nil {
		t.Fatal(err)
	}
	wait(t, `document.activeElement === document.querySelectorAll("a.row")[1]`)
	if err := one.Do(chromedp.KeyEvent("k"), chromedp.KeyEvent("\r")); err != nil {
		t.Fatal(err)
	}
	wait(t, `location.pathname === "/portal/webhook" && `+
		`document.querySelector("h1").innerText === "CRM"`)
	wait(t, `!document.querySelector("[data-help]").hidden`)
	if err := one.Do(chromedp.KeyEvent("?")); err != nil {
		t.Fatal(err)
	}
	wait(t, `document.querySelector("#help").open`)
	if err := one.Do(chromedp.KeyEvent("\u001b")); err != nil {
		t.Fatal(err)
	}
	wait(t, `!document.querySelector("#help").open`)
	// The protocol types a character though the page has taken its key; a keyboard does not.
	if err := one.Do(chromedp.KeyEvent("/"), chromedp.KeyEvent("\b"),
		chromedp.KeyEvent("order-4711\r")); err != nil {
		t.Fatal(err)
	}
	wait(t, `location.pathname === "/portal/event" && document.readyState === "complete" &&
		document.body.innerText.includes("Who got it,")`)
	// Switched off, which the next page knows too, no key does anything.
	const click = `document.querySelector("#keys").click(), true`
	if _, err := browser.Evaluate[bool](one.Browser, click); err != nil {
		t.Fatal(err)
	}
	if err := one.Open("/portal/", browser.Looks()[0]); err != nil {
		t.Fatal(err)
	}
	wait(t, `!document.querySelector("[data-help]").hidden`)
	if err := one.Do(chromedp.KeyEvent("?")); err != nil {
		t.Fatal(err)
	}
	did, err := browser.Evaluate[bool](one.Browser,
		`document.querySelector("#help").open || document.querySelector("#keys").checked`)
	if err != nil || did {
		t.Errorf("a key that is switched off: it did something: %t, %v", did, err)
	}
	if _, err := browser.Evaluate[bool](one.Browser, click); err != nil {
		t.Fatal(err)
	}
	if trouble := one.Trouble(); len(trouble) > 0 {
		t.Errorf("got %q", trouble)
	}
}

// Live replaces what changes, and rests while somebody works on it.
func TestLive(t *testing.T) {
	open(t)
	if err := one.Open("/portal/deliveries?live=1", browser.Looks()[0]); err != nil {
		t.Fatal(err)
	}
	mark := `document.querySelector("[data-swap]").dataset.mine = "1"; true`
	if _, err := browser.Evaluate[bool](one.Browser, mark); err != nil {
		t.Fatal(err)
	}
	wait(t, `document.querySelector("[data-swap]").dataset.mine === undefined`)
	ticked := `document.querySelector("[data-swap] input[type=checkbox]").checked = true; ` +
		`window.fetches = 0; const real = window.fetch; ` +
		`window.fetch = (...a) => { window.fetches++; return real(...a); }; ` +
		`window.turns = 0; setInterval(() => window.turns++, 1000); true`
	if _, err := browser.Evaluate[bool](one.Browser, "{"+ticked+"}"); err != nil {
		t.Fatal(err)
	}
	wait(t, `window.turns >= 4`) // time for several, by the page's own clock
	if n, err := browser.Evaluate[int](one.Browser, `window.fetches`); err != nil || n > 1 {
		t.Errorf("got %d refreshes, %v, while a row is ticked; want at most the one under way", n, err)
	}
	if trouble := one.Trouble(); len(trouble) > 0 {
		t.Errorf("got %q", trouble)
	}
}
