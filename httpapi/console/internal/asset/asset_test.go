package asset_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/outhook/outhook/httpapi/console/internal/asset"
)

// The URL of a file changes with its content, and only by it is the file kept.
func TestVersion(t *testing.T) {
	const name = "console.css"
	plain, green := asset.Files("", nil)[name], asset.Files("#00ff00", nil)[name]
	if plain.URL(name) == green.URL(name) {
		t.Errorf("two contents have one URL, %s", plain.URL(name))
	}
	for url, kept := range map[string]bool{
		plain.URL(name): true, green.URL(name): false, name: false,
	} {
		w := httptest.NewRecorder()
		plain.ServeHTTP(w, httptest.NewRequest("GET", "/"+url, nil))
		if got := strings.Contains(w.Header().Get("Cache-Control"), "immutable"); got != kept {
			t.Errorf("%s is kept: %v, want %v", url, got, kept)
		}
	}
	w := httptest.NewRecorder()
	green.ServeHTTP(w, httptest.NewRequest("GET", "/"+name, nil))
	if !strings.Contains(w.Body.String(), "--accent:#00ff00;--on-accent:#000") {
		t.Error("the color is not in the style sheet, with black text on it")
	}
}
