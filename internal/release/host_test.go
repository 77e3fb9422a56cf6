package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// host is a program in a module of its own that requires released modules.
type host struct {
	name     string
	requires []string // folders of modules
	files    []string // of testdata/host, beside main.go
	prints   []string
	lacks    []string // it downloads no module whose path begins so
}

const (
	otel = "go.opentelemetry.io/"
	pgx  = "github.com/jackc/"
)

var hosts = []host{
	{
		name:     "root",
		requires: []string{"."},
		files:    []string{"deliver.go", "outhook.go"},
		prints:   []string{"outhook works"},
		lacks:    []string{otel, pgx},
	}, {
		name:     "pgstore",
		requires: []string{"store/pgstore"},
		files:    []string{"pgstore.go"},
		prints:   []string{"pgstore works"},
		lacks:    []string{otel},
	}, {
		name:     "otelhooks",
		requires: []string{"dispatcher/otelhooks"},
		files:    []string{"deliver.go", "otelhooks.go"},
		prints:   []string{"otelhooks works"},
		lacks:    []string{pgx},
	}, {
		name:     "oauth2auth",
		requires: []string{"dispatcher/oauth2auth"},
		files:    []string{"deliver.go", "oauth2auth.go"},
		prints:   []string{"oauth2auth works"},
		lacks:    []string{otel, pgx},
	}, {
		name:     "jsonschema",
		requires: []string{"events/jsonschema"},
		files:    []string{"deliver.go", "jsonschema.go"},
		prints:   []string{"jsonschema works"},
		lacks:    []string{otel, pgx},
	}, {
		name:     "all",
		requires: released,
		files: []string{"deliver.go", "outhook.go", "oauth2auth.go", "otelhooks.go", "jsonschema.go",
			"pgstore.go"},
		prints: []string{"outhook works", "oauth2auth works", "otelhooks works", "jsonschema works",
			"pgstore works"},
	},
}

// TestHosts makes a release by the command, writes its modules as a proxy, and then, as a user
// does, gets them from there into fresh modules, builds and runs these.
func TestHosts(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles all modules")
	}
	dir := repository(t)
	proxy := filepath.Join(t.TempDir(), "proxy")
	var out, sums bytes.Buffer
	if err := command(t.Context(), dir, []string{version}, &out); err != nil {
		t.Fatal(err)
	}
	if err := command(t.Context(), dir, []string{"-proxy", proxy, version}, &sums); err != nil {
		t.Fatal(err)
	}
	for _, h := range hosts {
		t.Run(h.name, func(t *testing.T) { h.test(t, dir, proxy, sums.String()) })
	}
}

func (h host) test(t *testing.T, repository, proxy, sums string) {
	mods := filepath.Join(t.TempDir(), "mod")
	env := hostEnv(t, repository, proxy, mods)
	dir := t.TempDir()
	run := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("go", args...)
		cmd.Dir, cmd.Env = dir, env
		out, err := outputOf(cmd)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, file := range append([]string{"main.go"}, h.files...) {
		from := filepath.Join("testdata", "host", file)
		if err := copyFile(filepath.Join(dir, file), from); err != nil {
			t.Fatal(err)
		}
	}
	run("mod", "init", "example.org/host")
	for _, required := range h.requires {
		run("get", modulePath(required)+"@"+version)
	}
	run("build", "-o", "host.exe", ".")
	out, err := output(dir, filepath.Join(dir, "host.exe"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range h.prints {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("it prints %q, want %q", out, want)
		}
	}
	h.checkModules(t, run("list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", "."))
	h.checkDownloads(t, filepath.Join(mods, "cache", "download"))
	sum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(sums) { // the printed hashes are those that a host gets
		path := strings.Fields(line)[0]
		if strings.Contains(string(sum), path+" "+version+" ") && !strings.Contains(string(sum), line) {
			t.Errorf("go.sum has another hash than %q:\n%s", line, sum)
		}
	}
	if root := modulePath(".") + " " + version + " h1:"; !strings.Contains(string(sum), root) {
		t.Errorf("go.sum has no %q", root)
	}
}

// checkModules checks that each package of ours is from the release. The list has the module of
// each package that the host is built from.
func (h host) checkModules(t *testing.T, list string) {
	ours := make(map[string]bool)
	for line := range strings.Lines(list) {
		path, at, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(path, modulePath(".")) {
			continue
		}
		ours[path] = true
		if at != version {
			t.Errorf("the host is built from %s %s, want %s", path, at, version)
		}
	}
	if !ours[modulePath(".")] { // which the nested modules require
		t.Errorf("the host is not built from the root module: %v", ours)
	}
	for _, dir := range h.requires {
		if !ours[modulePath(dir)] {
			t.Errorf("the host is not built from %s", modulePath(dir))
		}
	}
}

// checkDownloads checks that nobody downloads the code of what belongs to a module that was not
// asked for.
func (h host) checkDownloads(t *testing.T, cache string) {
	zips := 0
	err := filepath.WalkDir(cache, func(name string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".zip" {
			return err
		}
		zips++
		rel, err := filepath.Rel(cache, name)
		for _, prefix := range h.lacks {
			if strings.HasPrefix(filepath.ToSlash(rel), prefix) {
				t.Errorf("the host downloads %s", rel)
			}
		}
		return err
	})
	if err != nil || zips == 0 {
		t.Errorf("%d modules were downloaded, %v", zips, err)
	}
}

// hostEnv is the environment of a user's go command, but for this: our modules come from the proxy,
// the others from what this repository's go command has in its cache, so that no network is needed.
// The module cache is the host's own, so that no module of ours is in it from elsewhere.
func hostEnv(t *testing.T, repository, proxy, mods string) []string {
	for _, dir := range released {
		must(t, filepath.Join(repository, dir), "go", "mod", "download")
	}
	cache := strings.TrimSpace(must(t, repository, "go", "env", "GOMODCACHE"))
	return append(os.Environ(),
		"GOPROXY=file://"+filepath.ToSlash(proxy)+",file://"+filepath.ToSlash(cache)+"/cache/download",
		"GOMODCACHE="+mods,
		"GOFLAGS=-mod=mod -modcacherw -trimpath", // -trimpath: what was compiled elsewhere is used again
		"GOSUMDB=off", "GOWORK=off", "GOPRIVATE=", "GONOPROXY=", "GOTOOLCHAIN=local",
	)
}

func modulePath(dir string) string {
	return strings.TrimSuffix("github.com/outhook/outhook/"+dir, "/.")
}
