package dispatchertest_test

import (
	"os"
	"strings"
	"testing"
)

// The tests in the package comment are those of host_test.go, which run.
func TestDocHasTestsThatRun(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile("host_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for line := range strings.Lines(string(doc)) {
		if text, ok := strings.CutPrefix(line, "//\t"); ok {
			code.WriteString(text)
		}
	}
	found := strings.SplitAfter(code.String(), "\n}\n")
	found = found[:len(found)-1] // what comes after the last
	if len(found) != 3 {
		t.Errorf("the package comment has %d tests, want 3", len(found))
	}
	for _, f := range found {
		if !strings.HasPrefix(f, "func Test") || !strings.Contains(string(tests), f) {
			t.Errorf("host_test.go does not have\n%s", f)
		}
	}
}
