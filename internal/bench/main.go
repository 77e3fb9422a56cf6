package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/outhook/outhook/internal/bench/receiver"
	"github.com/outhook/outhook/internal/progress"
	"github.com/outhook/outhook/internal/realservers"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == receiver.Arg {
		exit(receiver.Serve(os.Stdin, os.Stdout))
	}
	if len(os.Args) == 2 && os.Args[1] == hostileArg {
		exit(realservers.ServeHostile(os.Stdin, os.Stdout))
	}
	if isScenario(os.Args) {
		serveScenario(os.Args)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// settings are the command's flags.
type settings struct {
	short   bool
	rounds  int
	only    []string
	dir     string
	profile string
	draw    string
}

func parse(args []string, errs io.Writer) (settings, error) {
	var s settings
	var only string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(errs)
	f.BoolVar(&s.short, "short", false,
		"small works in one round: checks that nothing is lost or doubled, and judges no time")
	f.IntVar(&s.rounds, "rounds", 5, "how many times each ratio is measured")
	f.StringVar(&only, "only", "",
		"the works to run, such as N1,N5, or all of a letter, such as P; all when empty")
	f.StringVar(&s.dir, "dir", "",
		"where the store's files are made; the folder for temporary files when empty")
	f.StringVar(&s.profile, "profile", "", "an existing folder for profiles of our side of each work")
	f.StringVar(&s.draw, "draw", "",
		"an existing folder for the pictures event, latency and growth, in place of a table")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if only != "" {
		s.only = strings.Split(only, ",")
	}
	if s.short {
		s.rounds = 1
	}
	if s.rounds < 1 || f.NArg() > 0 {
		return s, fmt.Errorf(
			"usage: bench [-short] [-rounds n] [-only N1,N2] [-dir d] [-profile d] [-draw d]")
	}
	return s, nil
}

// bench is one run of the command.
type bench struct {
	settings
	receiver *receiver.Process
	table    table
	progress *progress.Line
}

// work is a part of the run.
type work struct {
	name string
	run  func(*bench, context.Context) error
}

// works returns all there is to run.
func works() []work {
	var all []work
	for _, l := range loads() {
		run := func(b *bench, ctx context.Context) error { return b.throughput(ctx, l) }
		all = append(all, work{l.name, run})
	}
	all = append(all,
		work{"N3", (*bench).lonePublisher},
		work{"N5", (*bench).steady},
		work{"N7", (*bench).backlog},
		work{"N8", (*bench).subscribers},
		work{"N9", (*bench).fanOut},
		work{"N10", (*bench).tarpit},
		work{"N11", (*bench).dead},
		work{"N16", (*bench).sharded},
		work{"N17", (*bench).lists},
		work{"N18", (*bench).console},
		work{"disk", (*bench).disk},
		work{"P10", (*bench).realServers},
		work{"P11", (*bench).hostile},
	)
	return append(all, scenarios()...)
}

// selected reports whether -only picks a work: by its name, or by the letter before its number.
func (s *settings) selected(name string) bool {
	return len(s.only) == 0 || slices.Contains(s.only, name) || slices.Contains(s.only, name[:1])
}

// run runs the command and prints the table, also of a run that failed halfway.
func run(ctx context.Context, args []string, out, errs io.Writer) error {
	s, err := parse(args, errs)
	if err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp(s.dir, "outhook-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(s.dir)
	b := &bench{settings: s, progress: progress.New(errs)}
	if b.receiver, err = receiver.Start(ctx); err != nil {
		return err
	}
	defer b.receiver.Close()
	if s.draw != "" {
		return drawing{b}.drawAll(ctx)
	}
	defer b.table.print(out)
	chosen := slices.DeleteFunc(works(), func(w work) bool { return !s.selected(w.name) })
	for i, w := range chosen {
		stop := b.progress.Watch("%s, %d of %d", w.name, i+1, len(chosen))
		err := w.run(b, ctx)
		stop()
		if err != nil {
			return fmt.Errorf("%s: %w", w.name, err)
		}
	}
	return nil
}

// log says what was measured.
func (b *bench) log(format string, args ...any) { b.progress.Print(format, args...) }

// size returns n, or few when the run is short.
func (b *bench) size(n, few int) int {
	if b.short {
		return few
	}
	return n
}
