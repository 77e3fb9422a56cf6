package readme_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/outhook/outhook/"

// packages are those that documents write of, by the names that they have there. Others are of the
// standard library, or of a module of its own (nested).
var (
	packages = []string{
		module + "dispatcher", module + "dispatcher/dispatchertest", module + "events",
		module + "events/cloudevents", module + "events/filter", module + "httpapi",
		module + "httpapi/console", module + "signing", module + "signing/boltseen", module + "store",
		module + "store/boltstore", module + "store/memstore", module + "store/sealed",
		module + "store/shards",
		"context", "crypto/tls", "crypto/x509", "errors", "fmt", "io", "log", "net/http", "os", "time",
	}
	nested = map[string][]string{
		"dispatcher/oauth2auth": {module + "dispatcher/oauth2auth",
			"golang.org/x/oauth2/clientcredentials"},
		"store/pgstore": {module + "store/pgstore"},
	}
)

// given is what a snippet may use without a declaration: what a reader has, or can imagine.
const given = `
	ctx context.Context, err error, mux *http.ServeMux, w http.ResponseWriter, r *http.Request,
	next http.Handler, body []byte, d *dispatcher.Dispatcher, o *dispatcher.Options, s store.Store,
	first, second store.Store, pick func(tenant string) int, event events.Event,
	key signing.Secret, seen signing.Seen, plans map[string]string, linkKey []byte,
	user struct { Name, Account string; Admin bool },
	session func(*http.Request) (struct { Name, Account string; Admin bool }, bool),
	certificates map[string]*tls.Config, passwords map[string]string, wants map[string]bool,
	sub store.Subscription, cursor string, handle func(http.Header, []byte),
`

// TestDocumentsCompile has the compiler look at the Go in each document, as it stands, in a
// function that is given a host's usual variables. The program in README.md has tests of its own.
func TestDocumentsCompile(t *testing.T) {
	t.Parallel()
	n := 0
	for name, content := range files(t, "docs/*.md") {
		for i, snippet := range snippets(content) {
			n++
			for _, problem := range check(t, snippet) {
				t.Errorf("%s, Go block %d: %v\n%s", name, i+1, problem, snippet)
			}
		}
	}
	if n < 10 {
		t.Errorf("%d Go blocks were found, want 10 at least", n)
	}
}

// TestSnippetsThatDoNotCompile holds the check to some that are wrong.
func TestSnippetsThatDoNotCompile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ snippet, want string }{
		{"o.NoSuchOption = true", "NoSuchOption"},
		{"o.Concurrency = \"many\"", "cannot use"},
		{"d.Publish(ctx, nothing)", "undefined: nothing"},
		{"if {", "condition"},
	} {
		problems := check(t, tt.snippet)
		if len(problems) == 0 || !strings.Contains(problems[0].Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.snippet, problems, tt.want)
		}
	}
	if problems := check(t, "x, err := d.Stats(ctx)"); problems != nil {
		t.Errorf("a variable that is not used: got %v, want nothing", problems)
	}
}

// snippets returns the Go blocks of a document.
func snippets(document string) (all []string) {
	for {
		_, rest, found := strings.Cut(document, "```go\n")
		if !found {
			return all
		}
		var block string
		block, document, _ = strings.Cut(rest, "```")
		all = append(all, block)
	}
}

// check returns what the compiler says of a snippet but for variables that are not used.
func check(t *testing.T, snippet string) (problems []error) {
	t.Helper()
	dir, known := "", packages
	for in, more := range nested {
		if strings.Contains(snippet, path.Base(more[0])+".") {
			dir, known = in, slices.Concat(packages, more)
		}
	}
	var imports []string
	for _, p := range known {
		if strings.Contains(given+snippet, path.Base(p)+".") {
			imports = append(imports, p)
		}
	}
	body := "func _(" + given + ") {\n{\n" + snippet + "}\n}\n"
	if strings.HasPrefix(snippet, "func ") {
		body = "func _(" + given + ") {}\n" + snippet
	}
	source := fmt.Sprintf("package host\nimport (%s)\n%s", quoted(imports), body)
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", source, parser.SkipObjectResolution)
	if err != nil {
		return []error{err}
	}
	compiled := exports(t, dir, imports)
	config := types.Config{
		Importer: importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) {
			return os.Open(compiled[path])
		}),
		Error: func(err error) {
			if e, is := err.(types.Error); !is || !e.Soft {
				problems = append(problems, err)
			}
		},
	}
	_, _ = config.Check("host", set, []*ast.File{file}, nil) // problems has its errors
	return problems
}

// quoted are imports as a program has them.
func quoted(imports []string) string {
	var lines []string
	for _, p := range imports {
		lines = append(lines, fmt.Sprintf("%q", p))
	}
	return strings.Join(lines, "; ")
}

// exports returns the files that the compiler has made of packages and of what they import, by
// their paths. dir is the module that they are imported in.
func exports(t *testing.T, dir string, imports []string) map[string]string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", append([]string{"list", "-export", "-deps", "-f",
		"{{.ImportPath}} {{.Export}}"}, imports...)...)
	list.Dir = filepath.Join("../..", dir)
	list.Env = append(os.Environ(), "GOWORK=off")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	compiled := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		if name, file, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			compiled[name] = file
		}
	}
	return compiled
}
