package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/outhook/outhook/internal/progress"
)

// repository returns one with two commits, whose benchmarks allocate once and twice, and a change
// after them by which they do thrice.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	do := func(args ...string) {
		t.Helper()
		if _, err := output(t.Context(), dir, "git", args...); err != nil {
			t.Fatal(err)
		}
	}
	allocate := func(times string) {
		write("a/bench_test.go", "package a\n\nimport \"testing\"\n\nvar kept []*int\n\n"+
			"func BenchmarkAllocate(b *testing.B) {\n\tfor b.Loop() {\n\t\tkept = kept[:0:cap(kept)]\n"+
			"\t\tfor range "+times+" {\n\t\t\tkept = append(kept, new(int))\n\t\t}\n\t}\n}\n")
	}
	if err := os.MkdirAll(filepath.Join(dir, "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("go.mod", "module example.com/m\n\ngo 1.26\n")
	do("init", "--quiet")
	do("config", "user.name", "Tester")
	do("config", "user.email", "tester@example.org")
	for _, times := range []string{"1", "2"} {
		allocate(times)
		do("add", "--all")
		do("commit", "--quiet", "-m", times)
	}
	allocate("3")
	return dir
}

// Each side runs its own code, as often as is asked, and the repository is as before.
func TestMeasure(t *testing.T) {
	tree, temp := repository(t), t.TempDir()
	c := comparison{base: "HEAD~1", bench: ".", count: 2, time: "100x", packages: []string{"./a"}}
	files, err := c.measure(t.Context(), tree, temp, progress.New(&bytes.Buffer{}))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{" 1 allocs/op", " 3 allocs/op"} {
		text, err := os.ReadFile(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(string(text), want); got != 2 {
			t.Errorf("%s: got %d lines with%s, want 2:\n%s", files[i], got, want, text)
		}
	}
	worktrees, err := output(t.Context(), tree, "git", "worktree", "list")
	if err != nil || strings.Count(worktrees, "\n") != 0 {
		t.Errorf("worktrees: got %q, %v, want that of the tree alone", worktrees, err)
	}
}

// A package that the baseline lacks is measured in the tree alone.
func TestNewPackage(t *testing.T) {
	tree, temp := repository(t), t.TempDir()
	if err := os.Rename(filepath.Join(tree, "a"), filepath.Join(tree, "b")); err != nil {
		t.Fatal(err)
	}
	c := comparison{base: "HEAD", bench: ".", count: 1, time: "1x", packages: []string{"./b"}}
	files, err := c.measure(t.Context(), tree, temp, progress.New(&bytes.Buffer{}))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{false, true} {
		text, err := os.ReadFile(files[i])
		if err != nil || strings.Contains(string(text), "BenchmarkAllocate") != want {
			t.Errorf("%s: got %s, %v, want figures: %t", files[i], text, err, want)
		}
	}
}

func TestUnknownBaseline(t *testing.T) {
	c := comparison{base: "nothing", count: 1, packages: []string{"./a"}}
	_, err := c.measure(t.Context(), repository(t), t.TempDir(), progress.New(&bytes.Buffer{}))
	if err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("got %v, want an error that names the commit", err)
	}
}
