package boltstore

import (
	"embed"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"strings"
	"testing"
)

// source is the code of the store, as it was compiled.
//
//go:embed *.go internal/*/*.go
var source embed.FS

// TestStepBackHasOnePlace looks for code of the store that steps back by itself: bbolt's Last and
// Prev are not to be trusted after deletes, see docs/decisions/bbolt-cursor-after-deletes.md.
func TestStepBackHasOnePlace(t *testing.T) {
	const home = "internal/boltfile/stepback.go"
	found := false
	for _, pattern := range []string{"*.go", "internal/*/*.go"} {
		paths, err := fs.Glob(source, pattern)
		if err != nil || len(paths) == 0 {
			t.Fatal(pattern, paths, err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			for _, name := range stepsBack(t, path) {
				if found = found || path == home; path != home {
					t.Errorf("%s: use boltfile.LastBetween or Descend instead of %s", path, name)
				}
			}
		}
	}
	if !found {
		t.Errorf("%s uses neither Last nor Prev: this test looks for the wrong names", home)
	}
}

// stepsBack returns the calls of Last and Prev in a file.
func stepsBack(t *testing.T, path string) (names []string) {
	t.Helper()
	text, err := source.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && (sel.Sel.Name == "Last" || sel.Sel.Name == "Prev") {
			names = append(names, sel.Sel.Name)
		}
		return true
	})
	return names
}
