package faults_test

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/outhook/outhook/internal/faults"
	"github.com/outhook/outhook/internal/progress"
)

func TestMain(m *testing.M) {
	faults.HostMain()
	os.Exit(m.Run())
}

// patience is how long a test waits for what must come.
const patience = 60 * time.Second

// long reports whether the long version of the suite is asked for.
func long() bool { return os.Getenv("OUTHOOK_LONG") != "" }

// scaled returns how much of something a test does: with -short, usually, and in the long version.
func scaled(short, usual, full int) int {
	switch {
	case long():
		return full
	case testing.Short():
		return short
	}
	return usual
}

// watch says on the standard error, in the long version, that a test goes on.
func watch(t *testing.T) (stop func()) {
	if !long() {
		return func() {}
	}
	return progress.New(os.Stderr).Watch("%s", t.Name())
}

// needStrace skips the test where there is no strace. Where everything must run, it fails.
func needStrace(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		if os.Getenv("OUTHOOK_CI") != "" {
			t.Fatal("strace is not installed")
		}
		t.Skip("strace is not installed")
	}
}

// start starts a host that is gone when the test ends.
func start(
	t *testing.T, c faults.Config, note func(faults.Mark), commandLine ...string,
) *faults.Child {
	t.Helper()
	h, err := faults.Start(c, note, commandLine...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Kill)
	return h
}

func await(t *testing.T, h *faults.Child, kind string) {
	t.Helper()
	if err := h.Await(kind, patience); err != nil {
		t.Fatal(err)
	}
}

// judge fails the test for each fault that the ledger has found.
func judge(t *testing.T, l *faults.Ledger, endpoints ...string) faults.Verdict {
	t.Helper()
	v := l.Judge(endpoints...)
	for i, fault := range v.Faults {
		if i == 20 {
			t.Errorf("and %d more", len(v.Faults)-i)
			break
		}
		t.Error(fault)
	}
	return v
}
