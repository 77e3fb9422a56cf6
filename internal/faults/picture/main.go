// Command picture kills hosts, cuts their power, and draws docs/pictures/kill.svg: what became of
// the events.
//
//	go run ./internal/faults/picture                 # at the top of the repository; about a minute
//	go run ./internal/faults/picture -kills 1000     # as many as docs/reliability.md has
//
// It fails, and writes nothing, if an acknowledged event is lost or anything else is found that
// must never be. The half about power cuts needs strace.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/outhook/outhook/internal/faults"
	"github.com/outhook/outhook/internal/progress"
)

func main() {
	faults.HostMain()
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

// run runs the command.
func run(args []string, errs io.Writer) (err error) {
	f := flag.NewFlagSet("picture", flag.ContinueOnError)
	f.SetOutput(errs)
	n := f.Int("kills", 40, "how often the host is killed")
	events := f.Int("events", 60, "how many events a host takes whose power is cut")
	file := f.String("file", "docs/pictures/kill.svg", "the picture")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *n < 1 || *events < 1 || f.NArg() > 0 {
		return errors.New("give no arguments, and -kills and -events above 0")
	}
	folder, err := os.MkdirTemp("", "outhook-picture-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	line := progress.New(errs)
	stop := line.Watch("%d kills", *n)
	killed, err := kill(folder, *n)
	stop()
	if err != nil {
		return err
	}
	line.Print("%d kills: %v", *n, killed.verdict)
	stop = line.Watch("power cuts")
	synced, err := cutPower(folder, *events, false)
	if err != nil {
		stop()
		return err
	}
	unsynced, err := cutPower(folder, *events, true)
	stop()
	if err != nil {
		return err
	}
	line.Print("power cuts: %d files at %d steps, %d of them bad; without syncs %d of %d",
		synced.files, synced.steps, synced.bad, unsynced.bad, unsynced.files)
	sheet := picture(killed, synced, unsynced)
	return os.WriteFile(*file, sheet.SVG(), 0o644)
}
