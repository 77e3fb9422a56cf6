package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// version is what the tests release. It is of none of the tags there are.
const version = "v0.99.0"

// pristine is a repository with the files of the tree, ready to be released as version.
var pristine = sync.OnceValues(makePristine)

func TestMain(m *testing.M) {
	code := m.Run()
	if root, err := pristine(); err == nil {
		os.RemoveAll(root)
	}
	os.Exit(code)
}

// makePristine copies the tree as it is, with what is not committed yet.
func makePristine() (root string, err error) {
	tree, err := output("", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return "", err
	}
	tree = strings.TrimSpace(tree)
	if root, err = os.MkdirTemp("", "release-"); err != nil {
		return "", err
	}
	files, err := output(tree, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return root, err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(files, "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(tree, name))
		if os.IsNotExist(err) { // removed, and not committed
			continue
		}
		if err != nil {
			return root, err
		}
		switch filepath.ToSlash(name) {
		case "CHANGELOG.md":
			section := "\n## " + version[1:] + " (2026-01-02)\n\n## "
			text = bytes.Replace(text, []byte("\n## "), []byte(section), 1)
		case "dispatcher/options.go":
			constant := regexp.MustCompile(`(?m)^const Version = ".*"$`)
			text = constant.ReplaceAll(text, []byte(`const Version = "`+version[1:]+`"`))
		}
		to := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return root, err
		}
		if err := os.WriteFile(to, text, 0o644); err != nil {
			return root, err
		}
	}
	for _, args := range [][]string{
		{"init", "--quiet", "--initial-branch=main"},
		{"config", "user.name", "Tester"}, {"config", "user.email", "tester@example.org"},
		{"add", "--all"}, {"commit", "--quiet", "-m", "the tree"},
	} {
		if _, err := output(root, "git", args...); err != nil {
			return root, err
		}
	}
	return root, nil
}

// repository is a copy of the pristine one that the test may change.
func repository(t *testing.T) string {
	t.Helper()
	from, err := pristine()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "repository")
	must(t, "", "git", "clone", "--quiet", from, dir)
	must(t, dir, "git", "config", "user.name", "Tester")
	must(t, dir, "git", "config", "user.email", "tester@example.org")
	return dir
}

// output runs a command and returns what it prints to its standard output.
func output(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	return outputOf(cmd)
}

func outputOf(cmd *exec.Cmd) (string, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", &commandError{cmd.String(), err, stderr.String()}
	}
	return string(out), nil
}

type commandError struct {
	command string
	err     error
	stderr  string
}

func (e *commandError) Error() string { return e.command + ": " + e.err.Error() + "\n" + e.stderr }

// must is output for a command that has to succeed.
func must(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, err := output(dir, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// snapshot is what a command that fails must not change: the commit, the tags and the files.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	return must(t, dir, "git", "rev-parse", "HEAD") + must(t, dir, "git", "tag") +
		must(t, dir, "git", "status", "--porcelain")
}

// change replaces a text in a file, which must have it, and commits.
func change(t *testing.T, dir, file, old, text string) {
	t.Helper()
	name := filepath.Join(dir, file)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), old) {
		t.Fatalf("%s has no %q", file, old)
	}
	if err := os.WriteFile(name, []byte(strings.Replace(string(b), old, text, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	must(t, dir, "git", "commit", "--quiet", "--all", "-m", "change")
}
