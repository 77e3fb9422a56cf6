// Package browser drives Debian's Chromium through the pages of a handler, and notes everything
// that a page must not do.
package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Look is how a page is looked at.
type Look struct {
	Name   string
	Width  int64
	Scheme string // light or dark
}

// Looks are those that every page must stand.
func Looks() []Look {
	return []Look{
		{"light", 1280, "light"}, {"dark", 1280, "dark"},
		{"narrow-light", 320, "light"}, {"narrow-dark", 320, "dark"},
	}
}

// Installed reports whether there is a Chromium.
func Installed() bool {
	_, err := exec.LookPath("chromium")
	return err == nil
}

// Chromium is one that runs.
type Chromium struct {
	ctx   context.Context // of its first tab
	close []func()
}

// Start starts a Chromium, which runs until Close or the end of ctx.
func Start(ctx context.Context) (*Chromium, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath("chromium"),
		chromedp.NoSandbox, // it runs as root in containers
		chromedp.Flag("force-prefers-reduced-motion", true),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.WSURLReadTimeout(2*time.Minute),
	)
	allocator, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	tab, cancelTab := chromedp.NewContext(allocator)
	c := &Chromium{tab, []func(){cancelTab, cancelAllocator}}
	if err := chromedp.Do(tab); err != nil {
		c.Close()
		return nil, fmt.Errorf("browser: chromium does not start: %w", err)
	}
	return c, nil
}

// Close ends it, with all of its tabs.
func (c *Chromium) Close() {
	for _, f := range c.close {
		f()
	}
}

// Browser is a tab of a Chromium, with cookies and a storage of its own, and the handler that it
// looks at.
type Browser struct {
	URL string // of the handler, without a slash at its end

	ctx   context.Context
	close []func()
	look  Look // at present; zero before the first

	mu       sync.Mutex
	asked    []string // by dialogs of the browser's own since Open
	requests []string // URLs of all since Open
	trouble  []string // exceptions, console errors, violations of the policy
	earlier  []string // trouble of the pages before
}

// New opens a tab, and starts a server for the handler. Tabs can be used at the same time.
func (c *Chromium) New(handler http.Handler) (*Browser, error) {
	server := httptest.NewServer(handler)
	tab, cancelTab := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	b := &Browser{URL: server.URL, ctx: tab, close: []func(){cancelTab, server.Close}}
	err := chromedp.Listen(tab, b.note)
	if err == nil { // a page is to behave as if its tab had the focus, whichever has
		_, err = chromedp.Call(tab, emulation.SetFocusEmulationEnabled,
			emulation.SetFocusEmulationEnabledParams{Enabled: true})
	}
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("browser: a tab does not open: %w", err)
	}
	return b, nil
}

// Close closes the tab, and ends the server.
func (b *Browser) Close() {
	for _, f := range b.close {
		f()
	}
}

// note keeps what has happened in the tab. An answer that is no success is logged by Chromium as an
// error of the network; a page that is to be a 404 is none.
func (b *Browser) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *page.EventJavascriptDialogOpening:
		b.asked = append(b.asked, e.Message)
		go b.accept() // an answer from here would wait for itself
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *runtime.EventExceptionThrown:
		b.trouble = append(b.trouble, "exception: "+e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			b.trouble = append(b.trouble, fmt.Sprintf("console.%s", e.Type))
		}
	case *log.EventEntryAdded:
		if e.Entry.Source != "network" && e.Entry.Level != log.EntryLevelInfo &&
			e.Entry.Level != log.EntryLevelVerbose {
			b.trouble = append(b.trouble, fmt.Sprintf("%s: %s", e.Entry.Source, e.Entry.Text))
		}
	}
}

// accept says yes to a dialog of the browser's own.
func (b *Browser) accept() {
	ctx, cancel := b.within()
	defer cancel()
	// If it fails, the page hangs, and what waits for it fails.
	_, _ = chromedp.Call(ctx, page.HandleJavaScriptDialog,
		page.HandleJavaScriptDialogParams{Accept: true})
}

// Asked returns what dialogs of the browser's own have asked since Open; each was answered by yes.
func (b *Browser) Asked() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.asked...)
}

// Open goes to a page and forgets what was noted before.
func (b *Browser) Open(path string, look Look) error {
	earlier := b.AllTrouble()
	b.mu.Lock()
	b.asked, b.requests, b.trouble, b.earlier = nil, nil, nil, earlier
	b.mu.Unlock()
	if err := b.Look(look); err != nil {
		return err
	}
	ctx, cancel := b.within()
	defer cancel()
	return chromedp.Do(ctx, chromedp.Navigate(b.URL+path), chromedp.WaitReady("body"))
}

// Look changes how the page is looked at that is open, and those that are opened later.
func (b *Browser) Look(look Look) error {
	if b.look == look {
		return nil
	}
	ctx, cancel := b.within()
	defer cancel()
	_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride,
		emulation.SetDeviceMetricsOverrideParams{Width: look.Width, Height: 800,
			DeviceScaleFactor: 1, Mobile: look.Width < 600})
	if err != nil {
		return err
	}
	_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: look.Scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		}})
	if err == nil {
		b.look = look
	}
	return err
}

// within bounds what is done in the tab.
func (b *Browser) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.ctx, 2*time.Minute)
}

// Do does something in the tab.
func (b *Browser) Do(actions ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := b.within()
	defer cancel()
	return chromedp.Do(ctx, actions...)
}

// Evaluate returns the value of a script, a promise's too.
func Evaluate[T any](b *Browser, script string) (T, error) {
	ctx, cancel := b.within()
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// Node is what assistive technology is told of an element: what it is, and how it is called.
type Node struct{ Role, Name string }

// Tree returns what assistive technology is told of the page.
func (b *Browser) Tree() ([]Node, error) {
	ctx, cancel := b.within()
	defer cancel()
	tree, err := chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		return nil, err
	}
	text := func(v *accessibility.Value) (s string) {
		if v != nil && len(v.Value) > 0 {
			_ = json.Unmarshal(v.Value, &s) // what is no text, such as a number, has no name
		}
		return s
	}
	var all []Node
	for _, n := range tree.Nodes {
		if !n.Ignored {
			all = append(all, Node{text(n.Role), text(n.Name)})
		}
	}
	return all, nil
}

// Picture returns a page as a PNG, of so many pixels of its height at most.
func (b *Browser) Picture(path string, look Look, height int64) ([]byte, error) {
	if err := b.Open(path, look); err != nil {
		return nil, err
	}
	whole, err := Evaluate[int64](b, "document.documentElement.scrollHeight")
	if err != nil {
		return nil, err
	}
	ctx, cancel := b.within()
	defer cancel()
	beyond := true
	picture, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{
		Format: page.CaptureScreenshotFormatPng, CaptureBeyondViewport: &beyond,
		Clip: &page.Viewport{
			Width: float64(look.Width), Height: float64(min(whole, height)), Scale: 1,
		},
	})
	return picture.Data, err
}

// Trouble returns what the page has done since Open that it must not: errors, violations of its
// policy, and requests to other hosts.
func (b *Browser) Trouble() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := append([]string(nil), b.trouble...)
	for _, url := range b.requests {
		// The browser's own pictures in form controls are data.
		if !strings.HasPrefix(url, b.URL+"/") && !strings.HasPrefix(url, "data:") {
			all = append(all, "a request to "+url)
		}
	}
	return all
}

// AllTrouble returns the trouble of all pages since the browser was started.
func (b *Browser) AllTrouble() []string {
	trouble := b.Trouble()
	b.mu.Lock()
	defer b.mu.Unlock()
	return append(b.earlier[:len(b.earlier):len(b.earlier)], trouble...)
}

// Requests returns the URLs that were asked for since Open.
func (b *Browser) Requests() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.requests...)
}
