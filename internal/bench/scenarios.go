package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/outhook/outhook/internal/outcomes"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// scenarioArg is the argument that makes the command run a scenario of package outcomes. Its number,
// the form, and a path for a file follow.
const (
	scenarioArg = "scenario"
	wholeForm   = "whole"
	shortForm   = "short"
)

// scenarios returns a work for each scenario of package outcomes.
func scenarios() (all []work) {
	for i, s := range outcomes.All() {
		all = append(all, work{s.Name, func(b *bench, ctx context.Context) error { return b.scenario(ctx, i, &s) }})
	}
	return all
}

// scenario runs a scenario on a boltstore. It does so in a process of its own, because fake time is
// for tests only, and a test ends with its process.
func (b *bench) scenario(ctx context.Context, i int, s *outcomes.Scenario) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	form := wholeForm
	if b.short {
		form = shortForm
	}
	b.log("%s: %s", s.Name, s.Situation)
	file := filepath.Join(b.dir, fmt.Sprintf("scenario-%d.db", i))
	cmd := exec.CommandContext(ctx, self, scenarioArg, strconv.Itoa(i), form, file)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var f outcomes.Figure
		if !bytes.HasPrefix(lines.Bytes(), []byte("{")) {
			continue // what a test binary says
		}
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			return err
		}
		side := atMost
		if f.AtLeast {
			side = atLeast
		}
		b.table.add(figure{s.Name, s.Situation, f.Measure, f.Value, f.Unit, f.Bound, side})
	}
	return os.Remove(file)
}

// isScenario reports whether the command line is that of a scenario.
func isScenario(args []string) bool { return len(args) == 5 && args[1] == scenarioArg }

// runScenario is the process of a scenario. It writes each figure as a line of JSON, and ends with the
// process.
func runScenario(args []string) {
	i, err := strconv.Atoi(args[2])
	if err != nil || i < 0 || i >= len(outcomes.All()) || !slices.Contains([]string{wholeForm, shortForm}, args[3]) {
		exit(fmt.Errorf("there is no scenario %q in the form %q", args[2], args[3]))
	}
	s, file := outcomes.All()[i], args[4]
	os.Args = os.Args[:1] // the rest is not for package testing
	test := testing.InternalTest{Name: s.Name, F: func(t *testing.T) {
		open := func(t *testing.T) store.Store {
			b, err := boltstore.Open(file, nil)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		to := json.NewEncoder(os.Stdout)
		for _, f := range s.Run(t, open, args[3] == shortForm) {
			if err := to.Encode(f); err != nil {
				t.Fatal(err)
			}
		}
	}}
	all := func(_, _ string) (bool, error) { return true, nil }
	testing.Main(all, []testing.InternalTest{test}, nil, nil)
}
