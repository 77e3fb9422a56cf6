package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRelease(t *testing.T) {
	dir := repository(t)
	var out bytes.Buffer
	if err := command(t.Context(), dir, []string{version}, &out); err != nil {
		t.Fatal(err)
	}
	commit := must(t, dir, "git", "rev-parse", "HEAD")
	tags := []string{version, "dispatcher/oauth2auth/" + version, "dispatcher/otelhooks/" + version,
		"events/jsonschema/" + version, "store/pgstore/" + version}
	for _, tag := range tags {
		if got := must(t, dir, "git", "rev-parse", tag+"^{commit}"); got != commit {
			t.Errorf("the tag %s is at %s, want %s", tag, got, commit)
		}
	}
	if got := strings.Fields(must(t, dir, "git", "tag")); len(got) != len(tags) {
		t.Errorf("tags: %q, want %q", got, tags)
	}
	if got := must(t, dir, "git", "status", "--porcelain"); got != "" {
		t.Errorf("the tree is not clean afterwards: %s", got)
	}
	want := "git push --atomic origin main " + strings.Join(tags, " ")
	if !strings.Contains(out.String(), want) {
		t.Errorf("it prints %q, want %q in it", &out, want)
	}
	for file := range strings.FieldsSeq(must(t, dir, "git", "ls-files", "*/go.mod")) {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "github.com/outhook/outhook "+version+"\n") {
			t.Errorf("%s does not require the root at %s:\n%s", file, version, text)
		}
	}
	for _, nested := range released[1:] { // the tree at the release needs no published version
		if diff, err := output(filepath.Join(dir, nested), "go", "mod", "tidy", "-diff"); err != nil {
			t.Errorf("%s is not tidy: %v\n%s", nested, err, diff)
		}
	}
	err := command(t.Context(), dir, []string{version}, &out)
	if err == nil || !strings.Contains(err.Error(), "exists") {
		t.Errorf("the same version again: %v", err)
	}
}

func TestDryRun(t *testing.T) {
	dir := repository(t)
	before := snapshot(t, dir)
	out := must(t, dir, "go", "run", "./internal/release", "-dry-run", version)
	for _, want := range []string{
		"would require github.com/outhook/outhook " + version + " in store/pgstore/go.mod",
		"dispatcher/otelhooks " + version + " in examples/metrics/go.mod",
		"would commit on main, and tag " + version + ", dispatcher/oauth2auth/" + version,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it prints %q, want %q in it", out, want)
		}
	}
	after := snapshot(t, dir)
	if after != before {
		t.Errorf("it changed the repository: %q, want %q", after, before)
	}
}

func TestRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, dir string)
		args    string
		want    string
	}{
		{"no version", nil, "", "give one version"},
		{"no v", nil, "0.99.0", `"0.99.0" is not of the form`},
		{"build metadata", nil, "v0.99.0+a", "is not of the form"},
		{"a major version without its path", nil, "v2.0.0", "end in /v2"},
		{"two modes", nil, "-dry-run -proxy x " + version, "exclude each other"},
		{"another version than the code's", nil, "v0.98.0",
			`dispatcher.Version is "0.99.0"; set it to "0.98.0"`},
		{"no tags for a proxy", nil, "-proxy x " + version, "make the release first"},
		{"a file that is not committed", func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "new.go"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}, version, "?? new.go"},
		{"a detached HEAD", func(t *testing.T, dir string) {
			must(t, dir, "git", "checkout", "--quiet", "--detach")
		}, version, "detached"},
		{"one tag of three", func(t *testing.T, dir string) {
			must(t, dir, "git", "tag", "store/pgstore/"+version)
		}, version, "store/pgstore/" + version + " exists"},
		{"a changelog that is not dated", func(t *testing.T, dir string) {
			change(t, dir, "CHANGELOG.md", "(2026-01-02)", "(unreleased)")
		}, version, `"## 0.99.0 (YYYY-MM-DD)"`},
		{"a changelog of another version", func(t *testing.T, dir string) {
			change(t, dir, "CHANGELOG.md", "## 0.99.0", "## 0.99.1")
		}, version, "begin one for 0.99.0"},
		{"a module that nobody listed", func(t *testing.T, dir string) {
			file := filepath.Join(dir, "docs", "go.mod")
			if err := os.WriteFile(file, []byte("module a\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			must(t, dir, "git", "add", "docs/go.mod")
			must(t, dir, "git", "commit", "--quiet", "-m", "a module")
		}, version, "the module in docs is new"},
		{"a module without its replace", func(t *testing.T, dir string) {
			change(t, dir, "store/pgstore/go.mod", "replace github.com/outhook/outhook => ../..", "")
		}, version, "store/pgstore/go.mod requires github.com/outhook/outhook but does not replace"},
		{"a replace by another folder", func(t *testing.T, dir string) {
			change(t, dir, "store/pgstore/go.mod", "=> ../..", "=> ../../..")
		}, version, "does not replace"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := repository(t)
			if c.prepare != nil {
				c.prepare(t, dir)
			}
			before := snapshot(t, dir)
			var out bytes.Buffer
			err := command(t.Context(), dir, strings.Fields(c.args), &out)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
			after := snapshot(t, dir)
			if after != before {
				t.Errorf("it changed the repository: %q, want %q", after, before)
			}
		})
	}
}

// TestFailureUndoes makes the last step fail, and checks that nothing is left of those before.
func TestFailureUndoes(t *testing.T) {
	dir := repository(t)
	before := snapshot(t, dir)
	hook := filepath.Join(dir, ".git", "hooks", "reference-transaction")
	script := "#!/bin/sh\n[ \"$1\" = prepared ] && grep -q refs/tags/store && exit 1\nexit 0\n"
	if err := os.MkdirAll(filepath.Dir(hook), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(hook, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := command(t.Context(), dir, []string{version}, &out)
	if err == nil || !strings.Contains(err.Error(), "update-ref") {
		t.Fatalf("got %v, want a failure of the tags", err)
	}
	if got := snapshot(t, dir); got != before {
		t.Errorf("left over: %q, want %q", got, before)
	}
}
