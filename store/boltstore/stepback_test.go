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

// source is the code of the package as it was compiled.
//
//go:embed *.go
var source embed.FS

// TestStepBackHasOnePlace looks for code of the store that steps back by itself: bbolt's Last and Prev
// are not to be trusted after deletes, see docs/decisions/bbolt-cursor-after-deletes.md.
func TestStepBackHasOnePlace(t *testing.T) {
	paths, err := fs.Glob(source, "*.go")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		text, err := source.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if ok && (sel.Sel.Name == "Last" || sel.Sel.Name == "Prev") && !strings.HasSuffix(path, "_test.go") {
				t.Errorf("%s: use boltfile.LastBetween or Descend instead of %s", path, sel.Sel.Name)
			}
			return true
		})
	}
}
