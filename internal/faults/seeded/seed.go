package main

import (
	"fmt"
	"slices"
	"strings"
)

// seed is one known way to break the code.
type seed struct {
	name  string
	line  int // of the file of seeds
	edits []edit
	tests tests
}

// edit is a change of one declaration, or of one SQL file.
type edit struct {
	where   place
	imports []string
	changes []change
}

// place names a declaration, or SQL files by a pattern.
type place struct{ dir, name string }

func (p place) String() string { return strings.TrimSpace(p.dir + " " + p.name) }

// change replaces code. With all, it may occur more than once.
type change struct {
	old, new string
	all      bool
}

// tests are the tests; one of them must notice.
type tests struct {
	dir, run string
	race     bool // under the race detector
}

// parseSeeds reads a file of seeds; see the package's comment.
func parseSeeds(text string) ([]seed, error) {
	var p seedReader
	for n, line := range strings.Split(text, "\n") {
		p.line = n + 1
		if err := p.add(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", p.line, err)
		}
	}
	if err := p.end(); err != nil {
		return nil, fmt.Errorf("line %d: %w", p.line, err)
	}
	return p.seeds, nil
}

type seedReader struct {
	line   int
	seeds  []seed
	names  map[string]bool
	open   bool // the last seed has no test yet
	inPlus bool // the last line was a "+"
}

func (p *seedReader) add(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	text := strings.TrimSpace(rest)
	switch {
	case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		return nil
	case word == "seed":
		return p.begin(text)
	case !p.open:
		return fmt.Errorf("%q stands in no seed; begin one with \"seed <name>\"", line)
	}
	s := &p.seeds[len(p.seeds)-1]
	switch word {
	case "in":
		dir, name := twoFields(text)
		s.edits = append(s.edits, edit{where: place{dir, name}})
		p.inPlus = false
		return nil
	case "test", "race":
		dir, run := twoFields(text)
		s.tests = tests{dir, run, word == "race"}
		p.open = false
		return nil
	}
	if !slices.Contains([]string{"import", "-", "-all", "+"}, word) {
		return fmt.Errorf("a line begins with %q; want seed, in, import, -, -all, +, test, race or #",
			word)
	}
	if len(s.edits) == 0 {
		return fmt.Errorf("%q comes before \"in <declaration>\"", line)
	}
	e := &s.edits[len(s.edits)-1]
	switch word {
	case "import":
		e.imports = append(e.imports, text)
	case "-", "-all":
		if p.inPlus || len(e.changes) == 0 {
			e.changes = append(e.changes, change{})
		}
		c := &e.changes[len(e.changes)-1]
		c.old += rest + "\n"
		c.all = c.all || word == "-all"
		p.inPlus = false
	case "+":
		if len(e.changes) == 0 {
			return fmt.Errorf("\"+\" comes before \"-\"; repeat the code beside which to insert")
		}
		e.changes[len(e.changes)-1].new += rest + "\n"
		p.inPlus = true
	}
	return nil
}

func (p *seedReader) begin(name string) error {
	if err := p.end(); err != nil {
		return err
	}
	if p.names == nil {
		p.names = make(map[string]bool)
	}
	if name == "" || p.names[name] {
		return fmt.Errorf("the name %q is empty or taken", name)
	}
	p.names[name] = true
	p.seeds = append(p.seeds, seed{name: name, line: p.line})
	p.open, p.inPlus = true, false
	return nil
}

// end checks that the last seed is whole.
func (p *seedReader) end() error {
	if len(p.seeds) == 0 {
		return nil
	}
	s := p.seeds[len(p.seeds)-1]
	if p.open || s.tests.run == "" {
		return fmt.Errorf("seed %q has no line \"test [folder] <regexp>\"", s.name)
	}
	if len(s.edits) == 0 {
		return fmt.Errorf("seed %q has no line \"in [folder] <declaration>\"", s.name)
	}
	for _, e := range s.edits {
		if e.where.name == "" || len(e.changes) == 0 {
			return fmt.Errorf("seed %q: \"in %v\" has no change; add a line \"- <code>\"", s.name, e.where)
		}
		for _, c := range e.changes {
			if strings.TrimSpace(c.old) == "" {
				return fmt.Errorf("seed %q: a \"-\" in %v has no code", s.name, e.where)
			}
		}
	}
	return nil
}

// twoFields splits "[folder] name".
func twoFields(text string) (dir, name string) {
	if dir, name, ok := strings.Cut(text, " "); ok {
		return strings.Trim(dir, "/"), strings.TrimSpace(name)
	}
	return "", text
}
