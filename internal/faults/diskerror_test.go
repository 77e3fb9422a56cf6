package faults_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/internal/faults"
)

// TestFaultDisk has system calls fail, one or all from one on, while a host writes. Publish must
// return an error whenever what it wrote is not on disk, the host must go on, and go on working
// once the disk does.
func TestFaultDisk(t *testing.T) {
	needStrace(t)
	defer watch(t)()
	total, hits := faults.Verdict{}, 0
	failures := []struct {
		errno, call string
		stride      int // usually
	}{
		{"EIO", "fdatasync", 1}, {"EIO", "pwrite64", 7}, {"EIO", "fsync", 1}, {"EIO", "ftruncate", 1},
		{"ENOSPC", "pwrite64", 7}, {"ENOSPC", "fdatasync", 5}, {"ENOSPC", "fsync", 1},
		{"ENOSPC", "ftruncate", 1},
	}
	for _, f := range failures {
		for n := 1; ; n += scaled(5*f.stride, f.stride, 1) {
			v, hit := failOnce(t, f.call, f.errno, n)
			if !hit {
				break
			}
			hits++
			total.Acked += v.Acked
			total.Arrived += v.Arrived
			total.Lost += v.Lost
			total.Doubled += v.Doubled
			total.Failed += v.Failed
			total.Troubles += v.Troubles
			failFromOn(t, f.call, f.errno, n)
		}
	}
	if hits < 10 || total.Troubles == 0 || total.Failed == 0 {
		t.Errorf("%d failures, of which %d were met by Publish: too few to say anything", hits,
			total.Failed)
	}
	t.Logf("%d failures of the disk, each once and from then on: %v", hits, total)
}

// failOnce has the n-th call of a kind fail, if it comes to that. The host must get through its
// script by itself.
func failOnce(t *testing.T, call, failure string, n int) (v faults.Verdict, hit bool) {
	t.Helper()
	s := newScripted(t, 3)
	defer s.close()
	log := filepath.Join(t.TempDir(), "trace")
	h := start(t, s.config, s.ledger.Note,
		faults.InjectArgs(log, call, fmt.Sprintf("error=%s:when=%d", failure, n))...)
	if err := h.Wait(patience); err != nil {
		t.Fatalf("%s at %s %d: %v", failure, call, n, err)
	}
	v = s.judge(t)
	return v, sinceFailure(t, log) != ""
}

// sinceFailure returns what strace has logged since it first injected a failure; "" if it injected
// none.
func sinceFailure(t *testing.T, log string) string {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "(INJECTED)")
	return after
}

// storedUnsynced returns the events that were taken or acknowledged after a failure, without a
// whole commit in between. strace counts the calls of each thread, so one that has made fewer goes
// on without failures: what a commit of the store's own goroutine took along is on disk, if both
// its syncs were made since the last failure. An acknowledgement may stand far behind the commit:
// it counts for nothing if the store had taken the event by then.
func storedUnsynced(t *testing.T, log string) (ids []string) {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	const whole = 2 // syncs of a commit: of its pages, and of the meta page that makes them count
	syncs, taken := whole, make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "(INJECTED)") {
			syncs = 0
			continue
		}
		if strings.Contains(line, "fdatasync") && strings.HasSuffix(strings.TrimSpace(line), "= 0") {
			syncs++
			continue
		}
		for _, kind := range []string{faults.Stored, faults.Ack} {
			_, rest, ok := strings.Cut(line, `"`+kind+" ")
			if !ok {
				continue
			}
			id, _, _ := strings.Cut(rest, " ")
			if syncs < whole && !taken[id] {
				ids = append(ids, kind+" "+id)
			}
			taken[id] = true
		}
	}
	return ids
}

// failFromOn has all calls of a kind fail from each thread's n-th on. Nothing may be acknowledged
// that is not on disk, and the host must live; what was acknowledged must be there for the next
// one.
func failFromOn(t *testing.T, call, failure string, n int) {
	t.Helper()
	s := newScripted(t, 3)
	defer s.close()
	log := filepath.Join(t.TempDir(), "trace")
	s.config.Agent = "first"
	marks := make(chan faults.Mark, 1<<16)
	h := start(t, s.config, func(m faults.Mark) {
		s.ledger.Note(m)
		if m.Kind == faults.Trouble || m.Kind == faults.Fail || m.Kind == faults.Stopped {
			marks <- m
		}
	}, faults.InjectArgs(log, call, fmt.Sprintf("error=%s:when=%d+", failure, n))...)
	for noticed := range 5 {
		select {
		case m := <-marks:
			if m.Kind != faults.Stopped {
				continue
			}
			// What fails after the mark is the writing of the list of free pages when the file is
			// closed, which harms nobody.
			if noticed == 0 && strings.Contains(sinceFailure(t, log), `"stopped `) {
				t.Errorf("%s at %s from %d on: the host has not noticed", failure, call, n)
			}
			return // with fewer calls than the time before
		case <-time.After(patience):
			t.Fatalf("%s at %s from %d on: the host met with no trouble", failure, call, n)
		}
	}
	h.Kill()
	for _, id := range storedUnsynced(t, log) {
		t.Errorf("%s at %s from %d on: event %s was taken and can't be on disk", failure, call, n, id)
	}
	s.config.Agent = "second"
	s.finish(t, fmt.Sprintf("%s at %s from %d on", failure, call, n))
	s.judge(t)
}
