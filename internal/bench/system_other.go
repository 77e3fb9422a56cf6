//go:build !linux

package main

import "time"

// Where /proc is not, these figures are left out.

func cpuTime() time.Duration { return 0 }
func writtenBytes() uint64   { return 0 }
func anonymousBytes() uint64 { return 0 }
func openFiles() int         { return 0 }
func pause(d time.Duration)  { time.Sleep(d) }
