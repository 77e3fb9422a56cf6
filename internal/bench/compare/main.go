// Command compare runs the benchmarks of the tree and of a baseline, and compares them by
// benchstat:
//
//	go run ./internal/bench/compare                          # with the last tag
//	go run ./internal/bench/compare -base main ./signing     # with a branch, of one package
//	go run ./internal/bench/compare -bench Finish -count 20  # more rounds of some
//
// The baseline is measured anew, in turns with the tree, because a figure of another day or machine
// says nothing. It is checked out into a folder that goes, and nothing else is changed. What is not
// committed is measured with the tree. Of a package that the baseline lacks there are no figures.
//
// The packages are folders, of nested modules too. With none it takes those whose benchmarks are of
// what is done for each event: about ten minutes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/outhook/outhook/internal/progress"
)

// usual are the packages that are measured if none is named.
var usual = []string{"./events", "./events/filter", "./signing", "./store/internal/schedule",
	"./store/memstore", "./store/boltstore", "./dispatcher"}

const benchstat = "golang.org/x/perf/cmd/benchstat@latest"

// comparison is what is to be measured.
type comparison struct {
	base     string // the commit
	bench    string // a regular expression of names
	count    int    // rounds
	time     string // of each benchmark, as -benchtime has it
	packages []string
}

func main() {
	var c comparison
	flag.StringVar(&c.base, "base", "", "the `commit` to compare with; the last tag if empty")
	flag.StringVar(&c.bench, "bench", ".", "only benchmarks whose names match this `expression`")
	flag.IntVar(&c.count, "count", 6, "rounds of each; benchstat wants six at least")
	flag.StringVar(&c.time, "benchtime", "500ms", "how long each takes, or how often it is done")
	flag.Parse()
	if c.packages = flag.Args(); len(c.packages) == 0 {
		c.packages = usual
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, c); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// run measures, and prints what benchstat says of it.
func run(ctx context.Context, c comparison) (err error) {
	tree, err := output(ctx, ".", "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return err
	}
	if c.base == "" {
		c.base, err = output(ctx, tree, "git", "describe", "--tags", "--abbrev=0", "--match", "v*")
		if err != nil {
			return fmt.Errorf("there is no tag to compare with; name a commit by -base: %w", err)
		}
	}
	temp, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	sides, err := c.measure(ctx, tree, temp, progress.New(os.Stderr))
	if err != nil {
		return err
	}
	stat := exec.CommandContext(ctx, "go", "run", benchstat, "base="+sides[0], "tree="+sides[1])
	stat.Dir, stat.Stdout, stat.Stderr = tree, os.Stdout, os.Stderr
	return stat.Run()
}

// measure writes what the benchmarks of the baseline and of the tree print into two files in the
// folder temp, and returns their names.
func (c comparison) measure(ctx context.Context, tree, temp string, line *progress.Line) (
	files [2]string, err error,
) {
	base := filepath.Join(temp, "base")
	if _, err := output(ctx, tree, "git", "worktree", "add", "--detach", base, c.base); err != nil {
		return files, err
	}
	defer func() {
		ctx := context.WithoutCancel(ctx)
		_, removed := output(ctx, tree, "git", "worktree", "remove", "--force", base)
		err = errors.Join(err, removed)
	}()
	folders := [2]string{base, tree}
	var logs [2]*os.File
	for i, name := range []string{"base.txt", "tree.txt"} {
		files[i] = filepath.Join(temp, name)
		if logs[i], err = os.Create(files[i]); err != nil {
			return files, err
		}
		defer logs[i].Close()
	}

	var programs [][2]string // by package
	for n, pkg := range c.packages {
		line.Print("compiling %s, %d of %d", pkg, n+1, len(c.packages))
		var pair [2]string
		for i, folder := range folders {
			pair[i] = filepath.Join(temp, fmt.Sprintf("%d-%d.test", n, i))
			if err := compile(ctx, filepath.Join(folder, pkg), pair[i]); err != nil {
				return files, err
			}
		}
		programs = append(programs, pair)
	}
	for round := range c.count {
		for n, pkg := range c.packages {
			line.Print("round %d of %d, %s", round+1, c.count, pkg)
			for turn := range folders {
				i := (turn + round) % 2 // neither is always the first
				err := c.once(ctx, programs[n][i], filepath.Join(folders[i], pkg), logs[i])
				if err != nil {
					return files, fmt.Errorf("%s: %w", pkg, err)
				}
			}
		}
	}
	line.Clear()
	return files, nil
}

// compile makes the test program of the package in a folder; none if there is no such package.
func compile(ctx context.Context, folder, program string) error {
	if _, err := os.Stat(folder); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	_, err := output(ctx, folder, "go", "test", "-c", "-o", program, ".")
	return err
}

// once runs the benchmarks of a program once, in the folder of its package.
func (c comparison) once(ctx context.Context, program, folder string, to io.Writer) error {
	if _, err := os.Stat(program); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	cmd := exec.CommandContext(ctx, program, "-test.run", "^$", "-test.bench", c.bench,
		"-test.benchmem", "-test.benchtime", c.time)
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, to, os.Stderr
	return cmd.Run()
}

// output runs a command and returns what it prints, trimmed.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	var stderr strings.Builder
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stderr = dir, &stderr
	cmd.Env = append(os.Environ(), "GOWORK=off")
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, stderr.String())
	}
	return strings.TrimSpace(string(text)), nil
}
