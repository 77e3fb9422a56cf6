package faults_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/outhook/outhook/internal/faults"
)

// TestFaultKillAtPoint kills a host at each system call by which it writes, one after another, and
// starts it again. The host's script is short: it makes its file and its subscription, publishes
// two events and delivers them.
func TestFaultKillAtPoint(t *testing.T) {
	needStrace(t)
	defer watch(t)()
	total, points := faults.Verdict{}, 0
	calls := []string{"pwrite64", "fdatasync", "fsync", "ftruncate", "linkat", "unlinkat"}
	for _, call := range calls {
		for n := 1; ; n += scaled(4, 1, 1) {
			v, hit := killAt(t, call, n)
			if !hit {
				break
			}
			points++
			total.Acked += v.Acked
			total.Arrived += v.Arrived
			total.Lost += v.Lost
			total.Doubled += v.Doubled
		}
	}
	if points < scaled(8, 30, 30) {
		t.Errorf("only %d points: is the host's file written at all?", points)
	}
	t.Logf("killed at %d points: %v", points, total)
}

// killAt kills a host at the n-th call of a kind, if it comes to that, and lets another finish the
// script.
func killAt(t *testing.T, call string, n int) (v faults.Verdict, hit bool) {
	t.Helper()
	s := newScripted(t, 2)
	defer s.close()
	log := filepath.Join(t.TempDir(), "trace")
	s.config.Agent = "first"
	h := start(t, s.config, s.ledger.Note,
		faults.InjectArgs(log, call, fmt.Sprintf("signal=KILL:when=%d", n))...)
	if err := h.Wait(patience); err == nil {
		return s.judge(t), false
	}
	s.config.Agent = "second"
	s.finish(t, fmt.Sprintf("killed at %s %d", call, n))
	return s.judge(t), true
}

// scripted is a host that publishes a few events in turn, and its receiver.
type scripted struct {
	config   faults.Config
	ledger   *faults.Ledger
	receiver *faults.Receiver
}

func newScripted(t *testing.T, n int) *scripted {
	t.Helper()
	s := &scripted{ledger: faults.NewLedger()}
	s.receiver = faults.NewReceiver(s.ledger, nil)
	s.config = faults.Config{
		Path:      filepath.Join(t.TempDir(), "outhook.db"),
		URLs:      []string{s.receiver.URL + "/a"},
		Agent:     "host",
		OneThread: true,
	}
	for i := range n {
		s.config.Script = append(s.config.Script, faults.NewID("script", i))
	}
	return s
}

func (s *scripted) close() { s.receiver.Close() }

// finish runs a host to which nothing happens, until the script is through.
func (s *scripted) finish(t *testing.T, after string) {
	t.Helper()
	h := start(t, s.config, s.ledger.Note)
	if err := h.Wait(patience); err != nil {
		t.Fatalf("%s: %v", after, err)
	}
}

// judge expects that all of the script was acknowledged and arrived.
func (s *scripted) judge(t *testing.T) faults.Verdict {
	t.Helper()
	v := judge(t, s.ledger, "/a")
	if v.Acked != len(s.config.Script) {
		t.Errorf("%d events were acknowledged in the end, want all %d", v.Acked, len(s.config.Script))
	}
	return v
}
