//go:build linux || darwin

package boltfile_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
)

// hangEnv tells the child of TestBboltLastHangs that it is the child.
const hangEnv = "OUTHOOK_TEST_BBOLT_LAST"

// TestBboltLastHangs calls Cursor.Last in a process of its own, after all keys have been deleted.
// What ends it is a limit of CPU time, so a loaded machine does not matter.
func TestBboltLastHangs(t *testing.T) {
	if os.Getenv(hangEnv) != "" {
		lastOfEmptied(t)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0],
		"-test.run=^TestBboltLastHangs$", "-test.count=1")
	cmd.Env = append(os.Environ(), hangEnv+"=1")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		t.Error("Cursor.Last returned: bbolt is right now")
	case !errors.As(err, &exit) || !exit.Sys().(syscall.WaitStatus).Signaled() ||
		!strings.Contains(string(out), inLast):
		t.Errorf("the process was to be killed in Cursor.Last: %v\n%s", err, out)
	}
}

// inLast is what the child says before it calls Cursor.Last.
const inLast = "calling Cursor.Last"

// limitCPU has this process killed once it has used more seconds of CPU time.
func limitCPU(t *testing.T, seconds uint64) {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	seconds += uint64(used.Utime.Sec + used.Stime.Sec)
	if err := syscall.Setrlimit(syscall.RLIMIT_CPU,
		&syscall.Rlimit{Cur: seconds, Max: seconds}); err != nil {
		t.Fatal(err)
	}
}

func lastOfEmptied(t *testing.T) {
	limitCPU(t, 120) // whatever hangs, it is not to go on when the parent is gone
	deleting(t, 0, 1000, func(b *bolt.Bucket) {
		if k, _ := boltfile.LastBetween(b.Cursor(), nil, nil); k != nil {
			t.Fatalf("LastBetween: got %q, want nil", k)
		}
		fmt.Println(inLast)
		limitCPU(t, 3) // Last is to take microseconds of them
		b.Cursor().Last()
	})
}
