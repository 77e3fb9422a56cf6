package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// runner runs tests on the tree, with and without a seed.
type runner struct {
	tree    *tree
	timeout time.Duration
	temp    string            // folder for overlays
	passes  map[string]string // of tests without a seed: "" when they pass, or how they fail
}

// try runs the tests of a seed on the changed code. It reports whether they notice, and by what, or
// what is wrong with the seed.
func (r *runner) try(ctx context.Context, s seed) (noticed bool, what string) {
	changed, err := r.tree.apply(s)
	if err != nil {
		return false, "NOT APPLIED " + err.Error()
	}
	dirs, unmatched := r.tree.packages(s.tests)
	if len(unmatched) > 0 {
		return false, "NO TEST     no test matches " + strings.Join(unmatched, ", ")
	}
	if failure := r.passesWithout(ctx, s.tests, dirs); failure != "" {
		return false, "FAILS ANYWAY, without the seed: " + failure
	}
	overlay, err := r.writeOverlay(changed)
	if err != nil {
		return false, err.Error()
	}
	out, failed := r.goTest(ctx, s.tests, dirs, "-count=1", "-overlay="+overlay)
	switch {
	case ctx.Err() != nil:
		return false, "interrupted"
	case !failed:
		return false, "UNNOTICED"
	case strings.Contains(out, "[build failed]"), strings.Contains(out, "[setup failed]"):
		return false, "NOT BUILT   " + firstLines(out, 4)
	}
	return true, whoNoticed(out, s.tests.run)
}

// passesWithout runs tests on the code as it is, once for each expression and packages.
func (r *runner) passesWithout(ctx context.Context, t tests, dirs []string) string {
	key := fmt.Sprint(t.race, t.run, dirs)
	if failure, ok := r.passes[key]; ok {
		return failure
	}
	out, failed := r.goTest(ctx, t, dirs)
	failure := ""
	switch {
	case ctx.Err() != nil:
		return "interrupted"
	case failed:
		failure = whoNoticed(out, t.run) + "\n\t" + firstLines(out, 6)
	case !strings.Contains(out, "ok  \t"):
		failure = "nothing ran: " + firstLines(out, 4)
	}
	r.passes[key] = failure
	return failure
}

// goTest runs tests in their batches, until a run fails. vet is left out: what a seed does may well
// look suspicious to it, and the tests have to notice.
func (r *runner) goTest(
	ctx context.Context, t tests, dirs []string, flags ...string,
) (out string, failed bool) {
	for _, b := range r.batches(dirs) {
		args := []string{
			"test", "-vet=off", "-timeout=" + r.timeout.String(), "-run=" + t.run,
			fmt.Sprintf("-race=%t", t.race), // whatever GOFLAGS says
		}
		args = append(args, flags...)
		for _, dir := range b.dirs {
			args = append(args, "./"+strings.TrimPrefix(strings.TrimPrefix(dir, b.module), "/"))
		}
		if b.rapid { // leave the tree as it is, and lose no time
			args = append(args, "-args", "-rapid.nofailfile", "-rapid.shrinktime=0s")
		}
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = filepath.Join(r.tree.root, filepath.FromSlash(b.module))
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // go passes it on
		cmd.WaitDelay = 10 * time.Second
		text, err := cmd.CombinedOutput()
		out += string(text)
		if err != nil {
			return out, true
		}
	}
	return out, false
}

// batch is packages that one run of go test can take.
type batch struct {
	module string
	rapid  bool // their tests know rapid's flags; those of others would refuse them
	dirs   []string
}

func (r *runner) batches(dirs []string) []batch {
	var list []batch
	for _, dir := range dirs {
		module, rapid := r.tree.module(dir), r.tree.rapid[dir]
		i := slices.IndexFunc(list, func(b batch) bool { return b.module == module && b.rapid == rapid })
		if i < 0 {
			i = len(list)
			list = append(list, batch{module: module, rapid: rapid})
		}
		list[i].dirs = append(list[i].dirs, dir)
	}
	return list
}

// writeOverlay writes changed files to the temporary folder, and the list that the go command
// takes.
func (r *runner) writeOverlay(changed map[string]string) (string, error) {
	replace := make(map[string]string)
	for file, text := range changed {
		to := filepath.Join(r.temp, fmt.Sprintf("%d-%s", len(replace), filepath.Base(file)))
		if err := os.WriteFile(to, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(r.tree.root, filepath.FromSlash(file))] = to
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(r.temp, "overlay.json")
	return name, os.WriteFile(name, list, 0o600)
}

var (
	failedTest  = regexp.MustCompile(`--- FAIL: (Test\w+)`)
	runningTest = regexp.MustCompile(`running tests:\s+(Test\w+)`)
)

// whoNoticed names the test that failed.
func whoNoticed(out, run string) string {
	if m := failedTest.FindStringSubmatch(out); m != nil {
		return m[1]
	}
	if m := runningTest.FindStringSubmatch(out); m != nil {
		return m[1] + ", by a hang"
	}
	return "a crash in " + run
}

func firstLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[:min(n, len(lines))], "\n\t")
}
