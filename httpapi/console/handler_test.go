package console_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/outhook/outhook/httpapi/console"
)

// A Handler that was told nothing of its mount takes a name that it does not know for the console
// itself, until it has shown a page in that folder: then it is 404. So somebody who leaves the last
// slash out gets there, and somebody with an old link learns that it leads nowhere.
func TestUnknownPageOfHandler(t *testing.T) {
	h := newHost(t, nil, nil)
	who := func(r *http.Request) (console.Access, error) { return byHeader(r) }
	for _, mount := range []struct{ name, prefix, strip string }{
		{"StripPrefix", "/a/b", "/a/b"}, {"a router that keeps the prefix", "/a/b", ""}, {"root", "", ""},
	} {
		handler, err := console.Handler(h.d, who, nil)
		if err != nil {
			t.Fatal(err)
		}
		serve := http.Handler(handler)
		if mount.strip != "" {
			serve = http.StripPrefix(mount.strip, handler)
		}
		get := func(path, nobody string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(http.MethodGet, mount.prefix+path, nil)
			r.Header.Set("X-Nobody", nobody)
			w := httptest.NewRecorder()
			serve.ServeHTTP(w, r)
			return w
		}
		get("/", "1") // somebody who is not let in teaches it nothing
		if w := get("/nothing", ""); w.Code != http.StatusSeeOther ||
			w.Header().Get("Location") != "./nothing/" {
			t.Errorf("%s: before any page: got %d, want the way to the folder", mount.name, w.Code)
		}
		if w := get("/", ""); w.Code != http.StatusOK {
			t.Fatalf("%s: the first page: got %d", mount.name, w.Code)
		}
		w := get("/nothing", "")
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "Not found") {
			t.Errorf("%s: an unknown page: got %d, want 404", mount.name, w.Code)
		}
		if mount.prefix == "" {
			continue
		}
		r := httptest.NewRequest(http.MethodGet, mount.prefix, nil)
		w = httptest.NewRecorder()
		serve.ServeHTTP(w, r)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "./b/" {
			t.Errorf("%s: without the slash: got %d, want the way to the folder", mount.name, w.Code)
		}
	}
}
