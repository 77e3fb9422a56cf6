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
	total, hits := faults.Verdict{}, 0
	failures := []struct {
		errno, call string
		stride      int // in the short version
	}{
		{"EIO", "fdatasync", 1}, {"EIO", "pwrite64", 7}, {"EIO", "fsync", 1}, {"EIO", "ftruncate", 1},
		{"ENOSPC", "pwrite64", 7}, {"ENOSPC", "fdatasync", 5}, {"ENOSPC", "fsync", 1},
		{"ENOSPC", "ftruncate", 1},
	}
	for _, f := range failures {
		for n := 1; ; n += scaled(f.stride, 1) {
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
	return v, injected(t, log) != ""
}

// injected returns what strace has logged since it injected a failure; "" when it did not.
func injected(t *testing.T, log string) string {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "(INJECTED)")
	return after
}

// failFromOn has all calls of a kind fail from the n-th on. Nothing may be acknowledged any more,
// and the host must live; what was acknowledged must be there for the next one.
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
			// What fails after the mark is the writing of the list of free pages when the file is closed,
			// which harms nobody.
			if noticed == 0 && strings.Contains(injected(t, log), `"stopped `) {
				t.Errorf("%s at %s from %d on: the host has not noticed", failure, call, n)
			}
			return // with fewer calls than the time before
		case <-time.After(patience):
			t.Fatalf("%s at %s from %d on: the host met with no trouble", failure, call, n)
		}
	}
	h.Kill()
	if strings.Contains(injected(t, log), `"ack `) {
		t.Errorf("%s at %s from %d on: an event was acknowledged that can't be on disk", failure, call, n)
	}
	s.config.Agent = "second"
	s.finish(t, fmt.Sprintf("%s at %s from %d on", failure, call, n))
	s.judge(t)
}
