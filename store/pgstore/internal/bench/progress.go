package main

import (
	"fmt"
	"os"
	"time"
)

// progressEvery is how often it is said how far something is.
const progressEvery = 5 * time.Second

// progress says on the standard error how far something is that takes longer than a few seconds.
// One goroutine uses it.
type progress struct {
	what string
	last time.Time
}

func newProgress(what string) *progress { return &progress{what, time.Now()} }

// say says how far it is, unless that was said a moment ago.
func (p *progress) say(format string, args ...any) {
	if time.Since(p.last) < progressEvery {
		return
	}
	p.last = time.Now()
	fmt.Fprintf(os.Stderr, "bench: %s: %s\n", p.what, fmt.Sprintf(format, args...))
}
