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

// source is the code of the packages that use bbolt's cursors, as it was compiled.
//
//go:embed *.go internal/txn/*.go internal/scan/*.go
var source embed.FS

// TestStepBackHasOnePlace looks for code of the store that steps back by itself: bbolt's Last and
// Prev are not to be trusted after deletes, see docs/decisions/bbolt-cursor-after-deletes.md.
func TestStepBackHasOnePlace(t *testing.T) {
	paths, err := fs.Glob(source, "*.go")
	inside, err2 := fs.Glob(source, "internal/*/*.go")
	if err != nil || err2 != nil || len(paths) == 0 || len(inside) == 0 {
		t.Fatal(paths, inside, err, err2)
	}
	paths = append(paths, inside...)
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
			if !ok || strings.HasSuffix(path, "_test.go") {
				return true
			}
			if sel.Sel.Name == "Last" || sel.Sel.Name == "Prev" {
				t.Errorf("%s: use boltfile.LastBetween or Descend instead of %s", path,
					sel.Sel.Name)
			}
			return true
		})
	}
}
