package browsertest

import (
	"net/http"
	"testing"

	"github.com/outhook/outhook/httpapi/console/browsertest/internal/browser"
)

// newBrowser returns a browser of a test's own, which fails at the end of the test for anything
// that a page has done and must not: no error of a script, none of the console, no violation of the
// policy, no request to another host.
func newBrowser(t *testing.T, handler http.Handler) *browser.Browser {
	t.Helper()
	b := newTab(t, handler)
	t.Cleanup(func() {
		if trouble := b.AllTrouble(); len(trouble) > 0 {
			t.Errorf("pages have done what they must not: %q", trouble)
		}
	})
	return b
}

// newTab is newBrowser, for pages that do what they must not.
func newTab(t *testing.T, handler http.Handler) *browser.Browser {
	t.Helper()
	b, err := chromium(t).New(handler)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}
