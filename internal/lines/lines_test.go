// Package lines holds how wide the lines of this repository are, and how large its packages and
// types.
package lines_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// width is how many columns a line may have. A tab counts as one.
const width = 100

// TestLinesAreNotWide checks that code, comments and prose wrap. What can't be wrapped may be wide:
// addresses, tables, pictures, and data, which is a raw string or has a long piece without a blank.
func TestLinesAreNotWide(t *testing.T) {
	root := output(t, "", "git", "rev-parse", "--show-toplevel")
	names := output(t, root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard",
		"*.go", "*.md", "*.sql", "test", ".ci/run")
	looked := 0
	for name := range strings.SplitSeq(strings.Trim(names, "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) { // removed, and not committed
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		looked++
		for _, wide := range wideLines(name, string(text)) {
			t.Errorf("%s:%s", name, wide)
		}
	}
	if looked < 500 {
		t.Errorf("looked at %d files; there are more than 500", looked)
	}
}

func output(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(name, args, err)
	}
	return strings.TrimSpace(string(text))
}

var (
	address = regexp.MustCompile(`https?://`)
	picture = regexp.MustCompile(`[─│▶◀▲▼┌└├]`)
	data    = regexp.MustCompile(`\S{45}`)
	table   = regexp.MustCompile(`^(\||    |\t)`) // in Markdown, also code
)

// wideLines returns the lines of a file that are too wide and could be wrapped.
func wideLines(name, text string) (wide []string) {
	prose, raw, fenced := strings.HasSuffix(name, ".md"), false, false
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\n")
		if prose && strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		}
		was := raw
		if !prose && strings.Count(line, "`")%2 == 1 {
			raw = !raw
		}
		switch {
		case utf8.RuneCountInString(line) <= width:
		case address.MatchString(line), picture.MatchString(line), data.MatchString(line):
		case prose && (fenced || table.MatchString(line)), strings.HasSuffix(name, ".go") && (was || raw):
		default:
			wide = append(wide, fmt.Sprintf("%d: has %d columns, want %d at most: %s", n,
				utf8.RuneCountInString(line), width, line))
		}
	}
	return wide
}

// TestWideLines shows what is too wide.
func TestWideLines(t *testing.T) {
	long := strings.Repeat("word ", 25)
	for _, tt := range []struct {
		name, text string
		wide       bool
	}{
		{"a.go", "// " + long, true},
		{"a.go", strings.Repeat("\t", 50) + long[:50], false},
		{"a.go", strings.Repeat("ü", 100), false},
		{"a.go", "var s = `\n" + long + "\n`", false},
		{"a.go", "var s = `\n`\n// " + long, true},
		{"a.go", `// https://example.com/a ` + long, false},
		{"a.go", `x := "{` + strings.Repeat("[1],", 20) + `}", ` + long, false},
		{"a.md", long, true},
		{"a.md", "| a | " + long, false},
		{"a.md", "```\n" + long + "\n```", false},
		{"a.md", "```\n```\n" + long, true},
		{"test", "# " + long, true},
	} {
		if got := wideLines(tt.name, tt.text); len(got) > 0 != tt.wide {
			t.Errorf("%s: %q is too wide: got %v, want %v", tt.name, tt.text, len(got) > 0, tt.wide)
		}
	}
}
