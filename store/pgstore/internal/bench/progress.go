package main

import (
	"fmt"
	"os"

	"github.com/outhook/outhook/internal/progress"
)

// saying says on the standard error how far something is that takes longer than a few seconds.
type saying struct {
	what string
	line *progress.Line
}

// newSaying begins it. done is to be called before anything else is written.
func newSaying(what string) *saying { return &saying{what, progress.New(os.Stderr)} }

func (s *saying) say(format string, args ...any) {
	s.line.Say("bench: %s: %s", s.what, fmt.Sprintf(format, args...))
}

func (s *saying) done() { s.line.Clear() }
