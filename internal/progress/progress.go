// Package progress shows how far a command is that takes longer than some seconds: in a terminal by
// one line that is rewritten, elsewhere, as in a log, by a line now and then.
package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// Every is how often Say writes where no line can be rewritten.
const Every = 30 * time.Second

// columns is how much of a line is shown in a terminal: one that wraps could not be rewritten.
const columns = 79

// Line shows how far a command is. Its methods may be called from any number of goroutines.
type Line struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	shown    bool      // a line that is to be rewritten is on the terminal
	said     time.Time // when Say has last written, or New was called
}

// New returns a Line on w, which is rewritten if w is a terminal.
func New(w io.Writer) *Line { return newLine(w, isTerminal(w)) }

func newLine(w io.Writer, terminal bool) *Line {
	return &Line{w: w, terminal: terminal, said: time.Now()}
}

// isTerminal reports whether w is a terminal that can go back to the start of a line.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Say says how far it is, in place of what it said before. Where that can't be rewritten, it writes
// a line, unless it has written one within Every, or the Line is younger.
func (l *Line) Say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	if l.terminal {
		if r := []rune(text); len(r) > columns {
			text = string(r[:columns-1]) + "…"
		}
		fmt.Fprint(l.w, "\r\x1b[K", text)
		l.shown = true
		return
	}
	if now := time.Now(); now.Sub(l.said) >= Every {
		l.said = now
		fmt.Fprintln(l.w, text)
	}
}

// Print writes a line that stays.
func (l *Line) Print(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
	fmt.Fprintln(l.w, strings.TrimSuffix(fmt.Sprintf(format, args...), "\n"))
}

// Clear removes what Say has said. Call it before something else writes to the terminal.
func (l *Line) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clear()
}

func (l *Line) clear() {
	if l.shown {
		fmt.Fprint(l.w, "\r\x1b[K")
		l.shown = false
	}
}

// Before returns a writer on w, such as os.Stdout, that calls Clear before each write: for what a
// command shows of others on the same terminal.
func (l *Line) Before(w io.Writer) io.Writer { return clearing{l, w} }

type clearing struct {
	l *Line
	w io.Writer
}

func (c clearing) Write(p []byte) (int, error) {
	c.l.Clear()
	return c.w.Write(p)
}

// Watch says every second what is going on and for how long, until stop is called, which clears it.
func (l *Line) Watch(format string, args ...any) (stop func()) {
	what, start := fmt.Sprintf(format, args...), time.Now()
	ended, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				l.Say("%s, for %v", what, time.Since(start).Round(time.Second))
			case <-ended:
				l.Clear()
				return
			}
		}
	}()
	return func() {
		close(ended)
		<-stopped
	}
}
