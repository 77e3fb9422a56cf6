package usage

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

// CPUTime returns what this process has used of the processors, in user mode and in the kernel.
func CPUTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// writtenBytes returns how many bytes of files this process has made the kernel write.
func writtenBytes() uint64 { return field("/proc/self/io", "write_bytes:") }

// AnonymousBytes returns the memory of this process that is no file's.
func AnonymousBytes() uint64 { return field("/proc/self/status", "RssAnon:") << 10 }

// openFiles returns how many files and sockets this process has open.
func openFiles() int {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0
	}
	defer dir.Close()
	// Names alone, unsorted: what is measured beside this should not notice it.
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return 0
	}
	return len(names) - 1 // one is that folder
}

// field returns a number from a file of the kernel's; 0 when it can't be read.
func field(path, name string) uint64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
			words := bytes.Fields(rest)
			if len(words) == 0 {
				return 0
			}
			n, err := strconv.ParseUint(string(words[0]), 10, 64)
			if err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}

// Pause sleeps more precisely than the runtime's timers, which can be a millisecond late.
func Pause(d time.Duration) {
	if d > 0 {
		t := syscall.NsecToTimespec(d.Nanoseconds())
		_ = syscall.Nanosleep(&t, nil)
	}
}
