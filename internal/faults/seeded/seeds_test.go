package main

import (
	"strings"
	"testing"
)

// TestSeedsApply checks that each seed finds its code, leaves code that can be parsed, and names a
// test. Whether the test notices takes much longer: see the package's comment.
func TestSeedsApply(t *testing.T) {
	root, err := findRoot()
	if err != nil {
		t.Fatal(err)
	}
	tree, seeds, err := load(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(seeds) < 200 {
		t.Errorf("%d seeds; there were at least 200", len(seeds))
	}
	for _, s := range seeds {
		if _, err := tree.apply(s); err != nil {
			t.Errorf("%s:%d: seed %q does not apply: %v", seedsFile, s.line, s.name, err)
		}
		if _, unmatched := tree.packages(s.tests); len(unmatched) > 0 {
			t.Errorf("%s:%d: seed %q: no test at or under %q matches %s; it may have moved or another name",
				seedsFile, s.line, s.name, s.tests.dir, strings.Join(unmatched, ", "))
		}
	}
}

const example = `
# A comment.
seed one
in a T.f
import strings
- x := 1
+ x := 2
- y
in g
-all z
test a TestA|TestB/c
seed two
in *.sql
- a
race TestC
`

func TestParseSeeds(t *testing.T) {
	seeds, err := parseSeeds(example)
	if err != nil {
		t.Fatal(err)
	}
	if len(seeds) != 2 || len(seeds[0].edits) != 2 || len(seeds[0].edits[0].changes) != 2 {
		t.Fatalf("got %+v", seeds)
	}
	e := seeds[0].edits[0]
	first := change{old: "x := 1\n", new: "x := 2\n"}
	if e.where != (place{"a", "T.f"}) || e.imports[0] != "strings" || e.changes[0] != first {
		t.Errorf("first edit: %+v", e)
	}
	if got := seeds[0].edits[1]; got.where != (place{"", "g"}) || !got.changes[0].all {
		t.Errorf("second edit: %+v", got)
	}
	if got := seeds[0].tests; got != (tests{dir: "a", run: "TestA|TestB/c"}) {
		t.Errorf("tests: %+v", got)
	}
	got := seeds[1]
	if got.line != 12 || got.edits[0].where.name != "*.sql" ||
		got.tests != (tests{run: "TestC", race: true}) {
		t.Errorf("second seed: %+v", got)
	}
}

func TestParseSeedsRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a line before any seed", "in f", "stands in no seed"},
		{"no test", "seed a\nin f\n- x\nseed b", `seed "a" has no line "test`},
		{"no declaration", "seed a\ntest T", `no line "in`},
		{"code before its declaration", "seed a\n- x", `before "in`},
		{"no change", "seed a\nin f\ntest T", "has no change"},
		{"an insertion without a place", "seed a\nin f\n+ x\ntest T", `"+" comes before "-"`},
		{"an empty pattern", "seed a\nin f\n- \n+ x\ntest T", "has no code"},
		{"a name twice", "seed a\nin f\n- x\ntest T\nseed a", "taken"},
		{"an unknown word", "seed a\nwhere f", `begins with "where"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parseSeeds(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
