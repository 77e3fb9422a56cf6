package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/outhook/outhook/internal/progress"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	line := progress.New(os.Stderr)
	ended := line.Watch("release")
	err := command(ctx, ".", os.Args[1:], line.Before(os.Stdout))
	ended()
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// command runs the command with its arguments in a folder of the repository.
func command(ctx context.Context, dir string, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	dryRun := flags.Bool("dry-run", false, "check, and say what would be done")
	proxy := flags.String("proxy", "", "write the tagged modules to this `folder`, as a GOPROXY")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("give one version, such as v0.2.0")
	}
	if *dryRun && *proxy != "" {
		return errors.New("-dry-run and -proxy exclude each other: -proxy changes no repository")
	}
	r, err := newRelease(ctx, dir, flags.Arg(0), out)
	if err != nil {
		return err
	}
	if *proxy != "" {
		return r.writeProxy(*proxy)
	}
	if err := r.check(); err != nil {
		return err
	}
	if *dryRun {
		return r.describe()
	}
	return r.make()
}
