package openapitest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/internal/npmtest"
	"github.com/outhook/outhook/store/memstore"
)

// workbench is a folder with the tools of testdata/client.
type workbench struct {
	t    *testing.T
	dir  string
	node string
}

// newWorkbench installs the tools, at the versions of the lock file. No script of theirs is run by
// it.
func newWorkbench(t *testing.T) *workbench {
	t.Helper()
	w := &workbench{t: t, dir: t.TempDir()}
	if err := os.CopyFS(w.dir, os.DirFS(filepath.Join("testdata", "client"))); err != nil {
		t.Fatal(err)
	}
	w.node = npmtest.Install(t, w.dir, "ci")
	return w
}

// run runs a script of JavaScript, and returns what it prints.
func (w *workbench) run(script string, args ...string) string {
	w.t.Helper()
	cmd := exec.CommandContext(w.t.Context(), w.node, append([]string{script}, args...)...)
	cmd.Dir = w.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Errorf("%s %s: %v\n%s", script, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// generate writes a description, lints it, and makes types of it.
func (w *workbench) generate(name string, h http.Handler) {
	w.t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/webhooks.openapi", nil))
	file := filepath.Join(w.dir, name+".json")
	if err := os.WriteFile(file, rec.Body.Bytes(), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.run("lint.js", file)
	w.run("node_modules/openapi-typescript/bin/cli.js", file, "-o", filepath.Join(w.dir, name+".ts"))
}

// declaring returns the options of a host with a catalogue and security schemes.
func declaring() (*dispatcher.Options, *httpapi.Options) {
	return &dispatcher.Options{
			OperationalEvents: true,
			EventTypes: append(events.Airy()[:1], events.Type{
				Name: "order.created", Description: "An order was placed.",
				Schema: json.RawMessage(`{"$schema":"https://json-schema.org/draft/2020-12/schema",
					"type":"object","required":["id"],"properties":{"id":{"type":"string"},
					"parent":{"$ref":"#"},"lines":{"type":"array","items":{"$ref":"#/$defs/line"}}},
					"$defs":{"line":{"type":"object","required":["price"],
					"properties":{"price":{"type":"number"},"part":{"$ref":"#/$defs/line"}}}}}`),
				Example: json.RawMessage(`{"id":"o1","lines":[{"price":9.5}]}`),
			}, events.Type{Name: "order.note"}),
		}, &httpapi.Options{
			Prefix: "/hooks",
			Description: httpapi.Description{Title: "Orders", Security: map[string]json.RawMessage{
				"token":   json.RawMessage(`{"type":"http","scheme":"bearer"}`),
				"session": json.RawMessage(`{"type":"apiKey","in":"cookie","name":"session"}`),
			}},
		}
}

func newHandler(t *testing.T, o *dispatcher.Options, api *httpapi.Options) http.Handler {
	t.Helper()
	d, err := dispatcher.New(memstore.New(), o)
	if err != nil {
		t.Fatal(err)
	}
	h, err := httpapi.Handler(d, httpapi.NoAuth, api)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestGeneratedClient has the tools of others read the description: the recommended rules of
// Redocly find nothing, and a client that is generated from it compiles with all checks of
// TypeScript, and works.
func TestGeneratedClient(t *testing.T) {
	w := newWorkbench(t)
	h := newHandler(t, nil, nil)
	w.generate("api", h)
	o, api := declaring()
	host := newHandler(t, o, api)
	w.generate("host", http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.URL.Path = api.Prefix + r.URL.Path
		host.ServeHTTP(rw, r)
	}))
	w.run("node_modules/typescript/bin/tsc", "-p", ".")
	server := httptest.NewServer(h)
	defer server.Close()
	if got := w.run("out/client.js", server.URL); got != "ok\n" {
		t.Errorf("the client printed %q, want ok", got)
	}
}
