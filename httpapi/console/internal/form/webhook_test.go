package form_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/console/internal/form"
)

// A form can have very many patterns. Reading stops at the first that is too many.
func TestPatternsAreBounded(t *testing.T) {
	var many strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&many, "t%d\n", i)
	}
	for _, values := range []url.Values{
		{"patterns": {many.String()}}, {"type": strings.Fields(many.String())},
	} {
		_, patterns := form.ReadWebhook(values, "acme", false)
		if len(patterns) != dispatcher.MaxEvents+1 {
			t.Errorf("got %d patterns, want %d, which is refused", len(patterns),
				dispatcher.MaxEvents+1)
		}
	}
	_, patterns := form.ReadWebhook(url.Values{"type": {"a.b"}, "patterns": {"a.b\r\n c.* ,,c.*"}},
		"acme", false)
	if !slices.Equal(patterns, []string{"a.b", "c.*"}) {
		t.Errorf("got %q, want each once", patterns)
	}
}
