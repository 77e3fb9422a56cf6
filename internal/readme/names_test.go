package readme_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNamedTestsExist checks that each test that a document names is there under that name.
func TestNamedTestsExist(t *testing.T) {
	t.Parallel()
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark|Example)\w*)\(`)
	tests := map[string]bool{}
	for _, content := range files(t, "*_test.go") {
		for _, match := range declared.FindAllStringSubmatch(content, -1) {
			tests[match[1]] = true
		}
	}
	named := regexp.MustCompile("`((?:Test|Fuzz)[A-Z]\\w*)`")
	seen := 0
	for name, content := range files(t, "*.md") {
		for _, match := range named.FindAllStringSubmatch(content, -1) {
			seen++
			if !tests[match[1]] {
				t.Errorf("%s: names %s, and no such test exists", name, match[1])
			}
		}
	}
	if seen == 0 {
		t.Error("no document names a test")
	}
}

// files returns the content of the files of the repository whose name matches.
func files(t *testing.T, pattern string) map[string]string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	list := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others",
		"--exclude-standard", "-z", "--", pattern)
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	contents := map[string]string{}
	for name := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // removed, and not yet committed
		}
		if err != nil {
			t.Fatal(err)
		}
		contents[name] = string(content)
	}
	return contents
}
