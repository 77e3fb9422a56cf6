package main

import (
	"cmp"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// tree is the source of the repository.
type tree struct {
	root  string
	files map[string]string // the texts, by slash-separated path from root
	decls []decl
	tests []testFunc
	rapid map[string]bool // folders whose tests import rapid
	mods  []string        // folders of modules
}

// decl is a top-level declaration, or an SQL file.
type decl struct {
	name, file string
	from, to   int // of the file's text
}

func (d decl) dir() string { return path.Dir(d.file) }
func (d decl) isSQL() bool { return strings.HasSuffix(d.file, ".sql") }

type testFunc struct{ name, dir string }

// rapidImport imports a package for tests with random data. When one fails, it takes half a minute
// to find a smaller failure, and writes that to the folder of the test.
const rapidImport = `"pgregory.net/rapid"`

func newTree(root string) *tree {
	return &tree{root: root, files: make(map[string]string), rapid: make(map[string]bool)}
}

// readTree reads and parses all Go and SQL files of the repository.
func readTree(root string) (*tree, error) {
	t := newTree(root)
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := e.Name()
		if e.IsDir() {
			if name != root && (strings.HasPrefix(base, ".") || base == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		switch {
		case base == "go.mod":
			t.mods = append(t.mods, path.Dir(rel))
		case strings.HasSuffix(base, ".go"), strings.HasSuffix(base, ".sql"):
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			return t.add(rel, string(text))
		}
		return nil
	})
	return t, err
}

func (t *tree) add(file, text string) error {
	if strings.HasSuffix(file, ".sql") {
		t.files[file] = text
		t.decls = append(t.decls, decl{name: path.Base(file), file: file, to: len(text)})
		return nil
	}
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	if strings.HasSuffix(file, "_test.go") {
		for _, spec := range parsed.Imports {
			if spec.Path.Value == rapidImport {
				t.rapid[path.Dir(file)] = true
			}
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				t.tests = append(t.tests, testFunc{name: f.Name.Name, dir: path.Dir(file)})
			}
		}
		return nil
	}
	t.files[file] = text
	add := func(name string, n ast.Node) {
		t.decls = append(t.decls, decl{
			name: name, file: file,
			from: fset.Position(n.Pos()).Offset, to: fset.Position(n.End()).Offset,
		})
	}
	for _, d := range parsed.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			add(funcName(d), d)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					add(spec.Name.Name, spec)
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						add(name.Name, spec)
					}
				}
			}
		}
	}
	return nil
}

// funcName is "name" of a function and "Type.name" of a method, by value or by pointer.
func funcName(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return f.Name.Name
	}
	typ := f.Recv.List[0].Type
	for {
		switch t := typ.(type) {
		case *ast.StarExpr:
			typ = t.X
		case *ast.ParenExpr:
			typ = t.X
		case *ast.IndexExpr:
			typ = t.X
		case *ast.IndexListExpr:
			typ = t.X
		case *ast.Ident:
			return t.Name + "." + f.Name.Name
		default:
			return f.Name.Name
		}
	}
}

// under reports whether dir is the folder or stands under it; every folder stands under "".
func under(dir, folder string) bool {
	return folder == "" || dir == folder || strings.HasPrefix(dir, folder+"/")
}

// at returns the declarations that a place names.
func (t *tree) at(p place) []decl {
	var found []decl
	for _, d := range t.decls {
		named := d.name == p.name
		if d.isSQL() {
			named, _ = path.Match(p.name, d.name)
		}
		if named && under(d.dir(), p.dir) {
			found = append(found, d)
		}
	}
	return found
}

// module is the folder of the module that dir belongs to.
func (t *tree) module(dir string) string {
	best := ""
	for _, m := range t.mods {
		if m != "." && under(dir, m) && len(m) > len(best) {
			best = m
		}
	}
	return cmp.Or(best, ".")
}

// packages returns the folders that have one of the tests, and the alternatives of the expression
// that no test matches.
func (t *tree) packages(want tests) (dirs []string, unmatched []string) {
	for _, alternative := range alternatives(want.run) {
		re, err := compileTop(alternative)
		if err != nil {
			return nil, []string{alternative + " (" + err.Error() + ")"}
		}
		found := false
		for _, f := range t.tests {
			if under(f.dir, want.dir) && re.MatchString(f.name) {
				found = true
				if !slices.Contains(dirs, f.dir) {
					dirs = append(dirs, f.dir)
				}
			}
		}
		if !found {
			unmatched = append(unmatched, alternative)
		}
	}
	slices.Sort(dirs)
	return dirs, unmatched
}
