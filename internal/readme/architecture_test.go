package readme_test

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestArchitecture holds docs/architecture.md to the repository: the trees of the page have every
// folder with Go code, and nothing else, and the files that it names are there. The programs in
// examples are not among them, which README.md lists.
func TestArchitecture(t *testing.T) {
	t.Parallel()
	const name = "docs/architecture.md"
	page := files(t, name)[name]
	drawn := make(map[string]bool)
	for _, dir := range foldersIn(page) {
		drawn[dir] = true
	}
	folders := map[string]bool{}
	var names []string
	for file := range files(t, "*") {
		names = append(names, file)
		dir := path.Dir(file)
		if path.Ext(file) != ".go" || dir == "." || slices.Contains(strings.Split(dir, "/"), "testdata") {
			continue
		}
		for ; dir != "."; dir = path.Dir(dir) {
			folders[dir] = true
		}
		if dir := path.Dir(file); !drawn[dir] && !strings.HasPrefix(dir, "examples/") {
			t.Errorf("%s does not have %s in a tree", name, dir)
			drawn[dir] = true // once is enough
		}
	}
	for dir := range drawn {
		if !folders[dir] {
			t.Errorf("%s has %s in a tree, and there is no such folder", name, dir)
		}
	}
	for _, file := range filesIn(page) {
		if !slices.ContainsFunc(names, func(n string) bool {
			return n == file || strings.HasSuffix(n, "/"+file)
		}) {
			t.Errorf("%s names %s, and there is no such file", name, file)
		}
	}
}

// folder is a folder at the beginning of a line of a tree, or after another one. What follows two
// blanks is what the tree says of it.
var folder = regexp.MustCompile(`^( +)((?:[\w/]+/  ?)*[\w/]+/)(?: {2,}|;|$)`)

// foldersIn returns the folders of the trees of a page. A folder that is indented more than the one
// above is in that.
func foldersIn(page string) (dirs []string) {
	type level struct {
		indent int
		dir    string
	}
	var above []level
	for line := range strings.Lines(page) {
		line = strings.TrimRight(line, "\n")
		match := folder.FindStringSubmatch(line)
		if !strings.HasPrefix(line, "    ") {
			above = nil // the tree has ended
		}
		if match == nil || !strings.HasPrefix(line, "    ") {
			continue
		}
		indent := len(match[1])
		for len(above) > 0 && above[len(above)-1].indent >= indent {
			above = above[:len(above)-1]
		}
		parent := ""
		if len(above) > 0 {
			parent = above[len(above)-1].dir
		}
		for sub := range strings.FieldsSeq(match[2]) {
			dir := path.Join(parent, sub)
			dirs = append(dirs, dir)
			above = append(above, level{indent, dir})
		}
		// What the tree says of a folder may name some that are in it: "x (a module)" is none.
		for _, inside := range inFolder.FindAllStringSubmatch(line[len(match[0]):], -1) {
			dirs = append(dirs, path.Join(above[len(above)-1].dir, inside[1]))
		}
	}
	return dirs
}

// inFolder is a folder in what a tree says of the one that it is in.
var inFolder = regexp.MustCompile(`\b(\w+)/(?:[ :;]|$)`)

// goFile is a name of a file in a page.
var goFile = regexp.MustCompile("`([\\w/]+\\.(?:go|sql|md))`")

// filesIn returns the files that a page names.
func filesIn(page string) (names []string) {
	for _, match := range goFile.FindAllStringSubmatch(page, -1) {
		names = append(names, match[1])
	}
	return names
}

// TestFoldersOfATree shows how a tree is read.
func TestFoldersOfATree(t *testing.T) {
	t.Parallel()
	const page = `
text about a/b/ here

    a/                 what a is
      b/c/             and of it d/: inside
      e/  f/           two
        g/
    h/                 i/ (a module), and HTTP/2 or and/or
      j                no folder

    x ──▶ y/
    k/
`
	want := []string{"a", "a/b/c", "a/b/c/d", "a/e", "a/f", "a/f/g", "h", "h/i", "k"}
	if got := foldersIn(page); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := filesIn("`a/b.go` and `c.sql`, not `d.e` or f.go"); !slices.Equal(got,
		[]string{"a/b.go", "c.sql"}) {
		t.Errorf("files: got %q", got)
	}
}
