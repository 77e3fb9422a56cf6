package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/outhook/outhook/internal/progress"
)

// seedsFile is the file of seeds, from the root of the repository.
const seedsFile = "internal/faults/seeded/seeds.txt"

func main() {
	run := flag.String("run", "", "only the seeds whose name matches this `regexp`")
	log := flag.String("log", "", "append results to this `file`, and skip what it says was noticed")
	show := flag.Bool("n", false, "show what each seed changes, and run no tests")
	timeout := flag.Duration("timeout", 3*time.Minute, "of each run of tests")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := command(ctx, *run, *log, *show, *timeout); err != nil {
		fmt.Fprintln(os.Stderr, "seeded:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, run, log string, show bool, timeout time.Duration) error {
	re, err := regexp.Compile(run)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	root, err := findRoot()
	if err != nil {
		return err
	}
	t, seeds, err := load(root)
	if err != nil {
		return err
	}
	seeds = slices.DeleteFunc(seeds, func(s seed) bool { return !re.MatchString(s.name) })
	if len(seeds) == 0 {
		return fmt.Errorf("-run: no seed's name matches %q", run)
	}
	temp, err := os.MkdirTemp("", "seeded-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	r := &runner{tree: t, timeout: timeout, temp: temp, passes: make(map[string]string)}
	if show {
		return r.show(seeds)
	}
	return r.all(ctx, seeds, log)
}

// load reads the tree and the seeds.
func load(root string) (*tree, []seed, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(seedsFile)))
	if err != nil {
		return nil, nil, err
	}
	seeds, err := parseSeeds(string(text))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", seedsFile, err)
	}
	t, err := readTree(root)
	return t, seeds, err
}

// all tries each seed, and prints a line for it.
func (r *runner) all(ctx context.Context, seeds []seed, log string) error {
	done := make(map[string]bool)
	if log != "" {
		text, err := os.ReadFile(log)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		for line := range strings.Lines(string(text)) {
			if name, _, ok := strings.Cut(strings.TrimPrefix(line, "noticed      "), ", by "); ok {
				done[name] = true
			}
		}
		f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer f.Close()
		return r.each(ctx, seeds, done, func(line string) {
			fmt.Print(line)
			fmt.Fprint(f, line)
		})
	}
	return r.each(ctx, seeds, done, func(line string) { fmt.Print(line) })
}

func (r *runner) each(
	ctx context.Context, seeds []seed, done map[string]bool, print func(string),
) error {
	wrong, line := 0, progress.New(os.Stderr)
	for i, s := range seeds {
		if done[s.name] {
			continue
		}
		stop := line.Watch("%d of %d: %s", i+1, len(seeds), s.name)
		noticed, what := r.try(ctx, s)
		stop()
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		if noticed {
			print(fmt.Sprintf("noticed      %s, by %s\n", s.name, what))
			continue
		}
		wrong++
		print(fmt.Sprintf("WRONG        %s (%s:%d): %s\n", s.name, seedsFile, s.line, what))
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d went wrong", wrong, len(seeds))
	}
	fmt.Printf("all %d were noticed\n", len(seeds))
	return nil
}

// show prints what each seed changes.
func (r *runner) show(seeds []seed) error {
	for _, s := range seeds {
		fmt.Printf("seed %s\n", s.name)
		changed, err := r.tree.apply(s)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", seedsFile, s.line, err)
		}
		for _, file := range slices.Sorted(maps.Keys(changed)) {
			to := filepath.Join(r.temp, "changed")
			if err := os.WriteFile(to, []byte(changed[file]), 0o600); err != nil {
				return err
			}
			diff := exec.Command("diff", "-U1", "--label", file, "--label", file,
				filepath.Join(r.tree.root, filepath.FromSlash(file)), to)
			diff.Stdout, diff.Stderr = os.Stdout, os.Stderr
			if err := diff.Run(); err != nil && diff.ProcessState.ExitCode() != 1 { // 1: they differ
				return err
			}
		}
	}
	return nil
}

// findRoot finds the repository's root above the working folder.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(seedsFile))); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("there is no %s at or above the working folder; "+
				"run it in the repository", seedsFile)
		}
		dir = up
	}
}
