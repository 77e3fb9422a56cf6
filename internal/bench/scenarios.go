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
	"strconv"
	"testing"

	"github.com/outhook/outhook/internal/outcomes"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/memstore"
)

// scenarioArg is the argument that makes the command run a scenario of package outcomes. Its
// number, the form as JSON, and the path for a boltstore's file, or "" for a memstore, follow.
const scenarioArg = "scenario"

// venue is a store that scenarios run on, in fake or in real time.
type venue struct {
	name     string
	realTime bool
	run      func(b scenes, ctx context.Context, i int, f outcomes.Form) ([]outcomes.Figure, error)
}

var venues = []venue{
	{"memstore", false, scenes.scenarioInMemory},
	{"boltstore", false, scenes.scenarioOnFile},
	{"boltstore in real time", true, scenes.scenarioOnFile},
	{"PostgreSQL in real time", true, scenes.scenarioOnPostgreSQL},
}

// scenarios returns a work for each scenario of package outcomes.
func scenarios() (all []work) {
	for i, s := range outcomes.All() {
		run := func(b *bench, ctx context.Context) error { return scenes{b}.scenario(ctx, i, &s) }
		all = append(all, work{s.Name, run})
	}
	return all
}

type scenes struct{ *bench } // runs the scenarios of package outcomes

// scenario runs a scenario on each store. The short form leaves out real time: tests have it.
func (b scenes) scenario(ctx context.Context, i int, s *outcomes.Scenario) error {
	for _, v := range venues {
		f := outcomes.Form{Short: b.short, RealTime: v.realTime}
		if !s.Has(f) || b.short && v.realTime {
			continue
		}
		b.log("%s, %s: %s", s.Name, v.name, s.Situation)
		figures, err := v.run(b, ctx, i, f)
		if err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		for _, f := range figures {
			side := atMost
			if f.AtLeast {
				side = atLeast
			}
			b.table.add(figure{
				s.Name, v.name + ": " + s.Situation, f.Measure, f.Value, f.Unit, f.Bound, side,
			})
		}
	}
	return nil
}

func (b scenes) scenarioInMemory(
	ctx context.Context, i int, f outcomes.Form,
) ([]outcomes.Figure, error) {
	return runScenario(ctx, i, f, "")
}

func (b scenes) scenarioOnFile(
	ctx context.Context, i int, f outcomes.Form,
) ([]outcomes.Figure, error) {
	path := filepath.Join(b.dir, fmt.Sprintf("scenario-%d-%t.db", i, f.RealTime))
	figures, err := runScenario(ctx, i, f, path)
	if err != nil {
		return nil, err
	}
	return figures, os.Remove(path)
}

// runScenario runs a scenario in a process of its own, because fake time is for tests only, and a
// test ends with its process.
func runScenario(
	ctx context.Context, i int, f outcomes.Form, path string,
) ([]outcomes.Figure, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	form, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, scenarioArg, strconv.Itoa(i), string(form), path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	return readFigures(out)
}

// readFigures reads figures, one to a line, from what a test has written.
func readFigures(out []byte) (figures []outcomes.Figure, err error) {
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if !bytes.HasPrefix(lines.Bytes(), []byte("{")) {
			continue // what the test says beside them
		}
		var f outcomes.Figure
		if err := json.Unmarshal(lines.Bytes(), &f); err != nil {
			return nil, err
		}
		figures = append(figures, f)
	}
	return figures, nil
}

// scenarioOnPostgreSQL runs a scenario as the test of pgstore that it is there, for this module
// does not depend on pgstore's. Where there is no PostgreSQL or the command was not started at the
// top of the repository, a note says so.
func (b scenes) scenarioOnPostgreSQL(
	ctx context.Context, i int, _ outcomes.Form,
) ([]outcomes.Figure, error) {
	const module = "store/pgstore"
	name := outcomes.All()[i].Name
	if _, err := os.Stat(filepath.Join(module, "go.mod")); err != nil {
		b.table.note("%s was not run on PostgreSQL: %s is not in this folder.", name, module)
		return nil, nil
	}
	path := filepath.Join(b.dir, fmt.Sprintf("scenario-%d.json", i))
	cmd := exec.CommandContext(ctx, "go", "test", "-C", module, "-count=1", "-timeout=1h",
		"-run=^TestOutcomes$/^"+name+"$", ".")
	cmd.Env = append(os.Environ(), "OUTHOOK_FIGURES="+path)
	said, failed := cmd.CombinedOutput()
	out, err := os.ReadFile(path)
	switch {
	case os.IsNotExist(err) && failed == nil:
		b.table.note("%s was not run on PostgreSQL: no server is installed.", name)
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%w\n%s", failed, said)
	}
	// A figure out of its bound fails the test too, and the table shows it.
	return readFigures(out)
}

// isScenario reports whether the command line is that of a scenario.
func isScenario(args []string) bool { return len(args) == 5 && args[1] == scenarioArg }

// serveScenario is the process of a scenario. It writes each figure as a line of JSON, and ends
// with the process.
func serveScenario(args []string) {
	all := outcomes.All()
	i, err := strconv.Atoi(args[2])
	if err != nil || i < 0 || i >= len(all) {
		exit(fmt.Errorf("there is no scenario %q; the numbers go from 0 to %d", args[2], len(all)-1))
	}
	var f outcomes.Form
	if err := json.Unmarshal([]byte(args[3]), &f); err != nil {
		exit(fmt.Errorf("the form of the scenario is no JSON: %w", err))
	}
	path := args[4]
	os.Args = os.Args[:1] // the rest is not for package testing
	test := testing.InternalTest{Name: all[i].Name, F: func(t *testing.T) {
		open := func(t *testing.T) store.Store {
			if path == "" {
				return memstore.New()
			}
			s, err := boltstore.Open(path, nil)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		to := json.NewEncoder(os.Stdout)
		for _, f := range all[i].Run(t, open, f) {
			if err := to.Encode(f); err != nil {
				t.Fatal(err)
			}
		}
	}}
	matchAll := func(_, _ string) (bool, error) { return true, nil }
	testing.Main(matchAll, []testing.InternalTest{test}, nil, nil)
}
