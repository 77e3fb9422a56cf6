package main

import (
	"strings"
	"testing"
)

// treeOf makes a tree of files.
func treeOf(t *testing.T, files map[string]string) *tree {
	t.Helper()
	tr := newTree("")
	for name, text := range files {
		if err := tr.add(name, text); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

// oneSeed reads a seed without its name and test.
func oneSeed(t *testing.T, text string) seed {
	t.Helper()
	seeds, err := parseSeeds("seed s\n" + text + "\ntest Test")
	if err != nil {
		t.Fatal(err)
	}
	return seeds[0]
}

const queue = `package queue

import "fmt"

// Put puts.
func (q *Queue[T]) Put(v T, n int) error {
	if n > q.max { // too many
		return fmt.Errorf("%d is too many",
			n)
	}
	q.list = append(q.list, v); q.n += n
	return q.save(v, n*(1+q.max))
}
`

func TestApply(t *testing.T) {
	const in = "in Queue.Put\n"
	for _, c := range []struct{ name, seed, want string }{
		{"an expression", "- n > q.max\n+ false", "if false { // too many"},
		{"over line breaks and a comment",
			"- if n > q.max {\n-   return fmt.Errorf(\"%d is too many\", n)\n- }",
			"error {\n\t\n\tq.list"},
		{"white space does not count", "- q . list=append( q.list,v )\n+ _ = v", "_ = v; q.n += n"},
		{"part of an expression", "- *(1+q.max)", "q.save(v, n)"},
		{"a wildcard keeps what it stands for",
			"- q.save($v, $n)\n+ q.drop($n, $v)", "q.drop(n*(1+q.max), v)"},
		{"a wildcard takes balanced brackets", "- n*($x)\n+ $x", "q.save(v, 1+q.max)"},
		{"an insertion", "- q.n += n\n+ q.n += n\n+ q.n++", "q.n += n\nq.n++"},
		{"two changes", "- n > q.max\n+ false\n- q.n += n\n+ q.n -= n", "q.n -= n"},
		{"all occurrences", "-all q.max\n+ 7", "if n > 7 {"},
		{"an import is added", "import os\n- q.n += n\n+ os.Exit(1)", `package queue; import "os"`},
		{"an unused import is dropped", "- fmt.Errorf($x)\n+ nil", `import _ "fmt"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			seedOf := in + c.seed
			for _, file := range []string{"queue/put.go", "queue/other.go", "internal/deep/queue.go"} {
				changed, err := treeOf(t, map[string]string{file: queue}).apply(oneSeed(t, seedOf))
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(changed[file], c.want) || len(changed) != 1 {
					t.Errorf("%s: got\n%s\nwant %q", file, changed[file], c.want)
				}
			}
		})
	}
}

// TestApplyTwice checks that edits of two declarations in one file are both made.
func TestApplyTwice(t *testing.T) {
	tr := treeOf(t, map[string]string{"a.go": "package a\n\nvar x = 1\n\nfunc f() int { return 2 }\n"})
	changed, err := tr.apply(oneSeed(t, "in x\n- 1\n+ 10000\nin f\n- return 2\n+ return 3"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "package a\n\nvar x = 10000\n\nfunc f() int { return 3 }\n"; changed["a.go"] != want {
		t.Errorf("got %q, want %q", changed["a.go"], want)
	}
}

func TestApplySQL(t *testing.T) {
	tr := treeOf(t, map[string]string{
		"store/sql/claim.sql":  "SELECT id -- the due ones\nFROM due\n  WHERE at <= $1\nLIMIT 5;\n",
		"store/sql/finish.sql": "DELETE FROM due\nWHERE id = $1;\n",
	})
	s := oneSeed(t, "in store *.sql\n- from due where at<=$1\n+ from due where true")
	if _, err := tr.apply(s); err == nil {
		t.Error("letters' case made no difference")
	}
	s = oneSeed(t, "in store *.sql\n- FROM due WHERE at<=$1\n+ FROM due WHERE true")
	changed, err := tr.apply(s)
	if err != nil {
		t.Fatal(err)
	}
	want := "SELECT id -- the due ones\nFROM due WHERE true\nLIMIT 5;\n"
	if changed["store/sql/claim.sql"] != want {
		t.Errorf("got %q", changed)
	}
}

// TestDoesNotApply checks that what is said helps.
func TestDoesNotApply(t *testing.T) {
	tr := treeOf(t, map[string]string{
		"queue/put.go":  queue,
		"a/save.go":     "package a\n\nfunc save() { write(1) }\n",
		"b/c/save.go":   "package c\n\nfunc save() { write(1) }\n",
		"queue/push.go": "package queue\n\nfunc (w *Writer) Push() { w.flush(); w.flush() }\n",
	})
	for _, c := range []struct {
		name, seed string
		want       []string
	}{
		{"the function has another name", "in Writer.Send\n-all w.flush()",
			[]string{`no declaration "Writer.Send"`, "queue/push.go:3", `write "in Writer.Push"`}},
		{"the function is in another folder", "in a Writer.Push\n-all w.flush()",
			[]string{"in or under a", "queue/push.go:3"}},
		{"the code has changed", "in Queue.Put\n- q.save(v, n*(2+q.max))",
			[]string{`"Queue.Put" at queue/put.go:6 has no code`, "closest: queue/put.go:12",
				"q.save(v, n*(2+q.max))", "return q.save(v, n*(1+q.max))"}},
		{"the code is in several functions", "in save\n- write(1)",
			[]string{"several declarations", "a/save.go:3", "b/c/save.go:3", "folder"}},
		{"the code occurs twice", "in Writer.Push\n- w.flush()",
			[]string{"occurs 2 times", "-all"}},
		{"nothing changes", "in Queue.Put\n- n > q.max\n+ n > q.max", []string{"replaced by itself"}},
		{"what is left can't be parsed", "in Queue.Put\n- return q.save(", []string{"can't be parsed"}},
		{"the second change is not there", "in Queue.Put\n- n > q.max\n+ false\n- q.n -= n",
			[]string{`no code "q.n -= n"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := tr.apply(oneSeed(t, c.seed))
			if err == nil {
				t.Fatal("it applies")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q in it", err, want)
				}
			}
		})
	}
	if _, err := tr.apply(oneSeed(t, "in b save\n- write(1)")); err != nil {
		t.Errorf("with a folder: %v", err)
	}
}

func TestPackages(t *testing.T) {
	tr := treeOf(t, map[string]string{
		"a/a_test.go":   "package a\n\nfunc TestFast(t *T) {}\nfunc TestSlow(t *T) {}\n",
		"a/b/b_test.go": "package b\n\nfunc TestFast(t *T) {}\n",
		"c/c_test.go":   "package c\n\nfunc TestFaster(t *T) {}\n",
	})
	for _, c := range []struct {
		tests           tests
		want, unmatched string
	}{
		{tests{dir: "", run: "TestFast$"}, "a a/b", ""},
		{tests{dir: "a", run: "TestFast"}, "a a/b", ""},
		{tests{dir: "a/b", run: "TestFast/some(thing|one)"}, "a/b", ""},
		{tests{dir: "", run: "TestSlow|TestFaster/x"}, "a c", ""},
		{tests{dir: "", run: "Test(Slow|Faster)"}, "a c", ""},
		{tests{dir: "c", run: "TestSlow|TestFaster"}, "c", "TestSlow"},
	} {
		dirs, unmatched := tr.packages(c.tests)
		if got := strings.Join(dirs, " "); got != c.want || strings.Join(unmatched, " ") != c.unmatched {
			t.Errorf("%v: got %q and %q, want %q and %q", c.tests, got, unmatched, c.want, c.unmatched)
		}
	}
}
