package faults_test

import (
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/outhook/outhook/internal/faults"
	"github.com/outhook/outhook/store/boltstore"
)

// TestFaultStop stops a host with SIGTERM while fifty requests are under way. The host waits for
// answers that come, and for no longer than DrainTimeout: what it should not wait for lasts an
// hour.
func TestFaultStop(t *testing.T) {
	const underWay = 50
	tests := []struct {
		name          string
		answer, drain time.Duration // how long an answer takes; DrainTimeout
		least         time.Duration // until the host has ended
	}{
		{"slow endpoint", time.Second, time.Hour, 0},
		{"tarpit", time.Hour, 2 * time.Second, 2 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newSlowEndpoint(t, underWay, tt.answer, tt.drain)
			h := start(t, f.config, f.note)
			for range underWay {
				<-f.arrived
			}
			at := time.Now()
			h.Signal(syscall.SIGTERM)
			if err := h.Wait(patience); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(at); took < tt.least {
				t.Errorf("the host took %v to end, want %v at least", took, tt.least)
			}
			if f.left != "0" {
				t.Errorf("%s goroutines were left when Run had returned, want none", f.left)
			}
			f.wantUnlocked(t)
			f.quick()
			f.config.Agent, f.config.Publishers = "second", 0
			f.config.Script = []string{faults.NewID("second", 0)}
			if err := start(t, f.config, f.note).Wait(patience); err != nil {
				t.Fatal(err)
			}
			v := judge(t, f.ledger, "/a")
			if v.Doubled != 0 {
				t.Errorf("%d requests were answered twice, want none: %v", v.Doubled, v)
			}
			t.Logf("stopped with %d requests under way: %v", underWay, v)
		})
	}
}

// slowEndpoint is a host with one endpoint that is slow to answer.
type slowEndpoint struct {
	config  faults.Config
	ledger  *faults.Ledger
	arrived chan struct{} // a value for each request
	left    string        // goroutines, as the host has said
	delay   time.Duration
	hurry   chan struct{} // closed when answers need no time any more
}

func newSlowEndpoint(t *testing.T, perSub int, delay, drain time.Duration) *slowEndpoint {
	t.Helper()
	f := &slowEndpoint{
		ledger:  faults.NewLedger(),
		arrived: make(chan struct{}, 1<<16),
		delay:   delay,
		hurry:   make(chan struct{}),
	}
	receiver := faults.NewReceiver(f.ledger, f.answer)
	t.Cleanup(receiver.Close)
	f.config = faults.Config{
		Path:         filepath.Join(t.TempDir(), "outhook.db"),
		URLs:         []string{receiver.URL + "/a"},
		Agent:        "first",
		PerSub:       perSub,
		Timeout:      time.Hour,
		DrainTimeout: drain,
		Publishers:   4,
		Pause:        time.Millisecond,
	}
	return f
}

// note takes a mark; they come one after another, and before Child.Wait returns.
func (f *slowEndpoint) note(m faults.Mark) {
	f.ledger.Note(m)
	if m.Kind == faults.Stopped {
		f.left = m.ID
	}
}

func (f *slowEndpoint) answer(r *http.Request) int {
	f.arrived <- struct{}{}
	select {
	case <-time.After(f.delay):
	case <-f.hurry:
	case <-r.Context().Done(): // the host has hung up: it left no socket
	}
	return http.StatusOK
}

func (f *slowEndpoint) quick() { close(f.hurry) }

// wantUnlocked checks that the file can be opened, and is whole.
func (f *slowEndpoint) wantUnlocked(t *testing.T) {
	t.Helper()
	s, err := boltstore.Open(f.config.Path, nil)
	if err != nil {
		t.Fatalf("after the host has ended: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
