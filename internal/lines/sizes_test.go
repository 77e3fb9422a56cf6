package lines_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A package of more lines has more than one concern, and a type of more methods too. Tests do not
// count.
const (
	maxLines   = 2500
	maxMethods = 40
)

// TestPackagesAndTypesAreSmall checks that each package is small enough to be read in one go.
func TestPackagesAndTypesAreSmall(t *testing.T) {
	root := output(t, "", "git", "rev-parse", "--show-toplevel")
	names := output(t, root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard",
		"*.go")
	var s sizes
	for name := range strings.SplitSeq(strings.Trim(names, "\x00"), "\x00") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) { // removed, and not committed
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := s.add(name, text); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.lines) < 100 {
		t.Errorf("looked at %d packages; there are more than 100", len(s.lines))
	}
	for _, large := range s.large() {
		t.Error(large)
	}
}

// sizes has the lines of packages and the methods of types, by folder and by folder and name.
type sizes struct{ lines, methods map[string]int }

// add counts a file.
func (s *sizes) add(name string, text []byte) error {
	if s.lines == nil {
		s.lines, s.methods = make(map[string]int), make(map[string]int)
	}
	dir := path.Dir(name)
	s.lines[dir] += strings.Count(string(text), "\n")
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, decl := range file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv != nil {
			s.methods[dir+"."+receiver(f.Recv.List[0].Type)]++
		}
	}
	return nil
}

// receiver returns the name of the type that a method is of.
func receiver(of ast.Expr) string {
	for {
		switch e := of.(type) {
		case *ast.StarExpr:
			of = e.X
		case *ast.IndexExpr: // Type[A]
			of = e.X
		case *ast.IndexListExpr: // Type[A, B]
			of = e.X
		case *ast.Ident:
			return e.Name
		default:
			return fmt.Sprintf("%T", of)
		}
	}
}

// large says what has too many lines or methods.
func (s *sizes) large() (large []string) {
	for _, dir := range slices.Sorted(maps.Keys(s.lines)) {
		if n := s.lines[dir]; n > maxLines {
			large = append(large, fmt.Sprintf("%s has %d lines, want %d at most: divide the package",
				dir, n, maxLines))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.methods)) {
		if n := s.methods[name]; n > maxMethods {
			large = append(large, fmt.Sprintf("%s has %d methods, want %d at most: divide the type",
				name, n, maxMethods))
		}
	}
	return large
}

// TestLargePackagesAndTypes shows what is too large.
func TestLargePackagesAndTypes(t *testing.T) {
	methods := func(on string, from, to int) (text string) {
		for i := from; i < to; i++ {
			text += fmt.Sprintf("func (x %s) M%d() {}\n", on, i)
		}
		return text
	}
	for _, tt := range []struct {
		files []string
		want  string // the beginning of what is said; empty if nothing is
	}{
		{[]string{"package a\n" + strings.Repeat("//\n", maxLines-1)}, ""},
		{[]string{"package a\n" + strings.Repeat("//\n", maxLines)}, "dir has 2501 lines"},
		{[]string{"package a\n" + strings.Repeat("//\n", maxLines-2), "package a\n\n"},
			"dir has 2501 lines"},
		{[]string{"package a\n" + methods("T", 0, maxMethods)}, ""},
		{[]string{"package a\n" + methods("T", 0, 30), "package a\n" + methods("*T", 30, 41)},
			"dir.T has 41 methods"},
		{[]string{"package a\n" + methods("*T[A]", 0, 41)}, "dir.T has 41 methods"},
		{[]string{"package a\n" + methods("*T[A, B]", 0, 41)}, "dir.T has 41 methods"},
	} {
		var s sizes
		for i, text := range tt.files {
			if err := s.add(fmt.Sprintf("dir/%d.go", i), []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		got := strings.Join(s.large(), "; ")
		if (got == "") != (tt.want == "") || !strings.HasPrefix(got, tt.want) {
			t.Errorf("got %q, want it to begin with %q", got, tt.want)
		}
	}
}
