package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTry runs seeds against the tests of a small program.
func TestTry(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles")
	}
	root := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.org/a\n\ngo 1.26\n",
		"a.go": "package a\n\nfunc sum(x, y int) int { return x + y }\n\n" +
			"func unused() int { return 1 }\n\n" +
			"func count() int {\n\tn, begin, end := 0, make(chan bool), make(chan bool)\n" +
			"\tgo func() { <-begin; n = 1; close(end) }()\n" +
			"\tclose(begin); <-end; return n\n}\n",
		"a_test.go": "package a\n\nimport \"testing\"\n\n" +
			"func TestSum(t *testing.T) { if sum(1, 2) != 3 { t.Error() } }\n\n" +
			"func TestBroken(t *testing.T) { t.Error() }\n\n" +
			"func TestCount(t *testing.T) { count() }\n",
		"n/go.mod": "module example.org/a/n\n\ngo 1.26\n",
		"n/n.go":   "package n\n\nimport _ \"embed\"\n\n//go:embed n.sql\nvar text string\n",
		"n/n.sql":  "SELECT 1;\n",
		"r/go.mod": "module example.org/a/r\n\ngo 1.26\n\nrequire pgregory.net/rapid " +
			rapidVersion(t) + "\n",
		"r/go.sum": readFile(t, "../../../go.sum"),
		"r/r.go":   "package r\n\nfunc double(x int) int { return 2 * x }\n",
		"r/r_test.go": "package r\n\nimport (\n\t\"testing\"\n\n\t\"pgregory.net/rapid\"\n)\n\n" +
			"func TestDouble(t *testing.T) { rapid.Check(t, func(t *rapid.T) {\n" +
			"\tif x := rapid.Int().Draw(t, \"x\"); double(x) != x+x { t.Fatal(x) }\n}) }\n",
		"n/n_test.go": "package n\n\nimport \"testing\"\n\n" +
			"func TestText(t *testing.T) { if text != \"SELECT 1;\\n\" { t.Error(text) } }\n",
	} {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tr, err := readTree(root)
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{
		tree: tr, timeout: 3 * time.Minute, temp: t.TempDir(), passes: make(map[string]string),
	}
	for _, c := range []struct {
		name, seed, tests string
		noticed           bool
		want              string
	}{
		{"noticed", "in sum\n- x + y\n+ x - y", "TestSum", true, "TestSum"},
		{"in a nested module, and embedded SQL", "in *.sql\n- 1\n+ 2", "TestText", true, "TestText"},
		{"a hang or a crash", "in sum\n- return x + y\n+ panic(x)", "TestSum", true, "TestSum"},
		{"by random data", "in double\n- 2 * x\n+ 3 * x", "TestDouble", true, "TestDouble"},
		{"by the race detector", "in count\n- <-end; return n\n+ m := n; <-end; return m",
			"race TestCount", true, "TestCount"},
		{"a race, and no detector", "in count\n- <-end; return n\n+ m := n; <-end; return m",
			"TestCount", false, "UNNOTICED"},
		{"unnoticed", "in unused\n- 1\n+ 2", "TestSum", false, "UNNOTICED"},
		{"does not compile", "in sum\n- x + y\n+ z", "TestSum", false, "NOT BUILT"},
		{"the test fails anyway", "in sum\n- x + y\n+ x - y", "TestBroken", false, "FAILS ANYWAY"},
		{"no such test", "in sum\n- x + y\n+ x - y", "TestNone", false, "NO TEST"},
		{"no such code", "in sum\n- x * y", "TestSum", false, "NOT APPLIED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("GOFLAGS", "-race") // as ./test has it: what the seed says counts
			s := oneSeed(t, c.seed)
			run, race := strings.CutPrefix(c.tests, "race ")
			s.tests = tests{run: run, race: race}
			noticed, what := r.try(t.Context(), s)
			if noticed != c.noticed || !strings.Contains(what, c.want) {
				t.Errorf("got %v, %q; want %v, %q", noticed, what, c.noticed, c.want)
			}
		})
	}
	if text := readFile(t, filepath.Join(root, "a.go")); !strings.Contains(text, "x + y") {
		t.Errorf("the tree was written to: %q", text)
	}
	if _, err := os.Stat(filepath.Join(root, "r", "testdata")); !os.IsNotExist(err) {
		t.Errorf("a test has left something in the tree (%v)", err)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rapidVersion is the version of rapid that the repository requires.
func rapidVersion(t *testing.T) string {
	t.Helper()
	_, after, _ := strings.Cut(readFile(t, "../../../go.mod"), "pgregory.net/rapid ")
	return strings.Fields(after)[0]
}
