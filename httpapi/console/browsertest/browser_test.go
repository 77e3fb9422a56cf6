package browsertest

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
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

// rules are those of axe that count: all of WCAG 2.2 AA and the best practices.
const rules = `{type: "tag", values:
	["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}`

// colorRules are those whose result depends on colors.
const colorRules = `{type: "rule", values: ["color-contrast", "link-in-text-block"]}`

// runAxe returns what axe finds by some rules.
func runAxe(b *browser.Browser, rules string) (string, error) {
	there, err := browser.Evaluate[bool](b, `Boolean(window.axe)`)
	if err == nil && !there {
		_, err = browser.Evaluate[string](b, axe+`;"loaded"`)
	}
	if err != nil {
		return "", err
	}
	// It need not load the style sheet again, which only experimental rules ask for.
	return browser.Evaluate[string](b, `axe.run(document, {preload: false,
		resultTypes: ["violations"], runOnly: `+rules+`}).then(r => JSON.stringify(r.violations))`)
}

// Every page is accessible in both schemes and on a narrow screen, fits on it, and does nothing
// that it must not.
func TestPages(t *testing.T) {
	open(t)
	for _, page := range one.pages {
		t.Run(page.Name, func(t *testing.T) {
			if err := one.Open(page.Path, browser.Looks()[0]); err != nil {
				t.Fatal(err)
			}
			checkLooks(t, one.Browser)
			if trouble := one.Trouble(); len(trouble) > 0 {
				t.Errorf("got %q", trouble)
			}
		})
	}
}

// checkLooks looks at the page that is open in each way: it is accessible, and fits on the screen.
// Style sheets follow a change at once, so that nothing is loaded again. In the dark only colors
// are others; and they do not depend on the width, so the last way is left out.
func checkLooks(t *testing.T, b *browser.Browser) {
	t.Helper()
	for _, look := range browser.Looks()[:3] {
		if err := b.Look(look); err != nil {
			t.Fatal(err)
		}
		of := rules
		if look.Scheme == "dark" {
			of = colorRules
		}
		checkAxe(t, b, look.Name, of)
		width, err := browser.Evaluate[int64](b, "document.documentElement.scrollWidth")
		if err != nil || width > look.Width {
			t.Errorf("%s: it is %d wide, %v; want %d", look.Name, width, err, look.Width)
		}
		if look.Width >= 600 {
			continue
		}
		cards, err := browser.Evaluate[bool](b, `[...document.querySelectorAll("table.cards td")]
			.every(td => getComputedStyle(td).display === "block" && td.matches(".sel, [data-l]")) &&
			[...document.querySelectorAll("table.cards thead")]
			.every(head => getComputedStyle(head).display === "none")`)
		if err != nil || !cards {
			t.Errorf("%s: a table has not become cards with labels, %v", look.Name, err)
		}
	}
	if err := b.Look(browser.Looks()[0]); err != nil {
		t.Fatal(err)
	}
}

func checkAxe(t *testing.T, b *browser.Browser, what, rules string) {
	t.Helper()
	text, err := runAxe(b, rules)
	if err != nil {
		t.Fatal(err)
	}
	var all []violation
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		for _, n := range v.Nodes {
			t.Errorf("%s: %s (%s): %s\n%s", what, v.ID, v.Help, n.HTML, n.Why)
		}
	}
}

// axe does find what is wrong, and so does the list of trouble; or else the tests above say
// nothing.
func TestBrokenPageIsNoticed(t *testing.T) {
	broken := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src *")
		fmt.Fprint(w, `<!doctype html><title>x</title><p style="color:#aaa">x</p>
			<p><font color="#bbbbbb">pale</font></p>
			<img src="http://127.0.0.1:1/x.png"><script>alert(1)</script>`)
	})
	b := newTab(t, broken)
	if err := b.Open("/", browser.Looks()[0]); err != nil {
		t.Fatal(err)
	}
	text, err := runAxe(b, rules)
	if err != nil || !strings.Contains(text, `"id":"image-alt"`) ||
		!strings.Contains(text, `"id":"color-contrast"`) {
		t.Errorf("got %s, %v, want the image without a text, and text that is hard to read", text, err)
	}
	// Colors are looked at again where only they have changed.
	if err := b.Look(browser.Looks()[1]); err != nil {
		t.Fatal(err)
	}
	text, err = runAxe(b, colorRules)
	if err != nil || !strings.Contains(text, `"id":"color-contrast"`) {
		t.Errorf("in the dark: got %s, %v, want the text that is hard to read", text, err)
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

// slash presses the key as a keyboard does: [chromedp.KeyEvent] has the protocol type its character
// too, though the page has taken the key.
var slash = chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
	for _, kind := range []input.DispatchKeyEventType{
		input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp,
	} {
		press := input.DispatchKeyEventParams{
			Type: kind, Key: "/", Code: "Slash", WindowsVirtualKeyCode: 191, // VK_OEM_2
		}
		if _, err := cdp.Call(ctx, target, input.DispatchKeyEvent, press); err != nil {
			return err
		}
	}
	return nil
})

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
	// Also before the page is drawn without the help, when what was in it still has the focus.
	const atOnce = `const help = document.querySelector("#help"); help.showModal(); help.close();
		document.activeElement.dispatchEvent(
			new KeyboardEvent("keydown", {key: "/", bubbles: true, cancelable: true}));
		const found = document.activeElement.id; document.activeElement.blur(); found`
	if found, err := browser.Evaluate[string](one.Browser, atOnce); err != nil || found != "find" {
		t.Errorf("/ after the help: focus is on %q, %v", found, err)
	}
	if err := one.Do(slash); err != nil {
		t.Fatal(err)
	}
	const search = `document.activeElement === document.querySelector("#find")`
	wait(t, search)
	if err := one.Do(chromedp.KeyEvent("order-4711")); err != nil {
		t.Fatal(err)
	}
	wait(t, search+` && document.activeElement.value === "order-4711"`)
	if err := one.Do(chromedp.KeyEvent("\r")); err != nil {
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

// Live replaces what changes, and rests while somebody works on it, and while nobody looks.
func TestLive(t *testing.T) {
	open(t)
	if err := one.Open("/portal/deliveries?live=1", browser.Looks()[0]); err != nil {
		t.Fatal(err)
	}
	run := func(script string) {
		t.Helper()
		if _, err := browser.Evaluate[bool](one.Browser, "{"+script+"; true}"); err != nil {
			t.Fatal(err)
		}
	}
	run(`window.fetches = 0; window.real = window.fetch;
		window.fetch = (...a) => { window.fetches++; return window.real(...a); };
		window.turns = 0; setInterval(() => window.turns++, 1000)`)
	const mark = `document.querySelector("[data-swap]").dataset.mine = "1"`
	const replaced = `document.querySelector("[data-swap]").dataset.mine === undefined`
	for _, test := range []struct{ name, begin, end string }{
		{"a row is ticked", `document.querySelector("tbody input[name=d]").checked = true`,
			`document.querySelector("tbody input[name=d]").checked = false`},
		{"a text is selected", `getSelection().selectAllChildren(document.querySelector("h1"))`,
			`getSelection().removeAllRanges()`},
		{"something is written", `document.querySelector("#find").focus()`,
			`document.activeElement.blur()`},
		{"a row has the focus", `document.querySelector("a.row").focus()`,
			`document.activeElement.blur()`},
		{"the list of keys is open", `document.querySelector("#help").showModal()`,
			`document.querySelector("#help").close(); document.activeElement.blur()`},
		{"the page is hidden",
			`Object.defineProperty(document, "hidden", {configurable: true, get: () => true})`,
			`delete document.hidden`},
	} {
		run(mark)
		wait(t, replaced)
		run(mark + "; " + test.begin + "; window.turns = 0")
		wait(t, `window.turns >= 1`) // in which one that was under way ends
		run(`window.fetches = 0; window.turns = 0`)
		wait(t, `window.turns >= 2`) // time for two, by the page's own clock
		same, err := browser.Evaluate[bool](one.Browser, `window.fetches === 0 && !(`+replaced+`)`)
		if err != nil || !same {
			t.Errorf("while %s: it is refreshed, %v", test.name, err)
		}
		run(test.end)
		wait(t, replaced)
	}
	if trouble := one.Trouble(); len(trouble) > 0 {
		t.Errorf("got %q", trouble)
	}
}
