package faults

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"sync"
)

// Mark is a line that a host writes: what it does or has learnt, and about what.
type Mark struct {
	Kind string // one of the constants below
	ID   string // of an event, or what else the kind says
	Text string
}

// The kinds of marks.
const (
	Opened  = "opened"  // the store is open; the text is the host's Agent
	Running = "running" // the dispatcher runs, and the subscriptions are there
	Try     = "try"     // Publish is about to be called with the event ID
	Stored  = "stored"  // the store took the event ID; marked by the funnel before its next call
	Ack     = "ack"     // it returned nil
	Fail    = "fail"    // it returned an error, which is the text
	Erasing = "erasing" // Erase is about to be called with the event ID
	Erased  = "erased"  // it returned nil; the text is the host's Agent
	Got     = "got"     // an endpoint inside the host has answered 200 to the event
	Trouble = "trouble" // the dispatcher had trouble with the store: the ID is the operation
	// Run has returned; the ID is how many goroutines are left that were not there before.
	Stopped = "stopped"
	Done    = "done" // the host's script has ended
)

// String returns the line.
func (m Mark) String() string {
	return m.Kind + " " + m.ID + " " + strings.ReplaceAll(m.Text, "\n", " ")
}

// ParseMark reads a line.
func ParseMark(line string) Mark {
	kind, rest, _ := strings.Cut(line, " ")
	id, text, _ := strings.Cut(rest, " ")
	return Mark{kind, id, text}
}

// marker writes marks. Each is one write, so that of a process that is killed a line is there or
// not.
type marker struct {
	mu sync.Mutex
	w  io.Writer
}

func (m *marker) mark(kind, id, format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	fmt.Fprintln(m.w, Mark{kind, id, fmt.Sprintf(format, args...)})
}

// readMarks calls f for each mark that comes, until there are no more.
func readMarks(r io.Reader, f func(Mark)) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f(ParseMark(lines.Text()))
	}
}
