package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/outhook/outhook/internal/bench/receiver"
)

func main() {
	beChild(os.Args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(command(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// beChild is one of the command's other processes, if the arguments say so, and does not return
// then.
func beChild(args []string) {
	switch {
	case len(args) == 2 && args[1] == receiver.Arg:
		exit(receiver.Serve(os.Stdin, os.Stdout))
	case len(args) == 3 && args[1] == senderArg:
		exit(serveSender(args[2], os.Stdout))
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// settings are the command's flags.
type settings struct {
	short    bool
	list     bool
	draw     bool
	rounds   int
	lasts    time.Duration
	rate     int
	only     []string
	note     string
	docs     string
	patience time.Duration
}

func parse(args []string, errs io.Writer) (s settings, err error) {
	var only string
	f := flag.NewFlagSet("peers", flag.ContinueOnError)
	f.SetOutput(errs)
	f.BoolVar(&s.short, "short", false,
		"small works in one round: checks that nothing is lost, and judges no time")
	f.BoolVar(&s.list, "list", false, "list the peers")
	f.BoolVar(&s.draw, "draw", false, "write the page and the picture from measured.json")
	f.IntVar(&s.rounds, "rounds", 5, "rounds; their medians count")
	f.DurationVar(&s.lasts, "for", 3*time.Second, "about how long each measurement lasts")
	f.IntVar(&s.rate, "rate", 200, "events a second of the steady work")
	f.StringVar(&only, "only", "", "the peers to run, by the names of -list; all when empty")
	f.StringVar(&s.note, "note", "", "a sentence about the machine, for the page")
	f.StringVar(&s.docs, "docs", "../../../docs", "the folder of the page and the picture")
	f.DurationVar(&s.patience, "patience", receiver.Patience,
		"how long events may take to arrive before they count as lost")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 || s.rounds < 1 || s.lasts <= 0 || s.rate < 1 {
		f.Usage()
		return s, fmt.Errorf("give no arguments, and -rounds, -for and -rate above 0")
	}
	if only != "" {
		s.only = strings.Split(only, ",")
	}
	for _, key := range s.only {
		if _, err := find(key); err != nil {
			return s, err
		}
	}
	if s.short {
		s.rounds, s.rate = 1, 1000
	}
	return s, nil
}

// command runs the command.
func command(ctx context.Context, args []string, out, progress io.Writer) error {
	s, err := parse(args, progress)
	if err != nil {
		return err
	}
	switch {
	case s.list:
		for _, p := range peers {
			fmt.Fprintf(out, "%-10s %s\n", p.key, p.name)
		}
		return nil
	case s.draw:
		m, err := readMeasured(measuredFile)
		if err != nil {
			return err
		}
		return m.writePages(s.docs)
	}
	m, failed := measure(ctx, s, progress)
	if m == nil {
		return failed
	}
	fmt.Fprint(out, m.table())
	if failed == nil && !s.short && len(s.only) == 0 {
		if err := m.write(measuredFile); err != nil {
			return err
		}
		failed = m.writePages(s.docs)
	}
	return failed
}
