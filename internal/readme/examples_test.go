package readme_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// withoutExample are the public packages that have no example with an output, and why.
var withoutExample = map[string]string{
	"store/storetest":      "it takes a *testing.T, which examples lack; its comment has the test",
	"store/pgstore/pgtest": "it starts a server, which not every machine has",
}

// TestPublicPackagesHaveExamples checks that each package that a host can import shows its use: by
// an example whose output the tests compare.
func TestPublicPackagesHaveExamples(t *testing.T) {
	t.Parallel()
	public := map[string]bool{} // folders of packages that export something: has it an example?
	examples := map[string]bool{}
	fset := token.NewFileSet()
	for name, content := range files(t, "*.go") {
		dir := path.Dir(name)
		if first, _, _ := strings.Cut(dir, "/"); first == "examples" ||
			slices.Contains(strings.Split(dir, "/"), "internal") ||
			slices.Contains(strings.Split(dir, "/"), "testdata") {
			continue
		}
		file, err := parser.ParseFile(fset, name, content, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.HasSuffix(name, "_test.go"):
			for _, e := range doc.Examples(file) {
				examples[dir] = examples[dir] || e.Output != ""
			}
		case file.Name.Name != "main" && ast.FileExports(file):
			public[dir] = true
		}
	}
	if len(public) < 15 {
		t.Errorf("there are %d public packages; is the test looking at the right folder?", len(public))
	}
	for _, dir := range slices.Sorted(maps.Keys(public)) {
		why, excused := withoutExample[dir]
		switch {
		case !examples[dir] && !excused:
			t.Errorf("%s has no example with an output", dir)
		case examples[dir] && excused:
			t.Errorf("%s has an example, and is excused by %q: take that out", dir, why)
		}
	}
	for dir := range withoutExample {
		if !public[dir] {
			t.Errorf("%s is excused and is no public package", dir)
		}
	}
}
