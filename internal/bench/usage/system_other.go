//go:build !linux

package usage

import "time"

// Where /proc is not, these figures are left out.

// CPUTime is always 0 here.
func CPUTime() time.Duration { return 0 }
func writtenBytes() uint64   { return 0 }

// AnonymousBytes is always 0 here.
func AnonymousBytes() uint64 { return 0 }
func openFiles() int         { return 0 }

// Pause sleeps.
func Pause(d time.Duration) { time.Sleep(d) }
