package faults_test

import (
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/outhook/outhook/internal/faults"
)

// TestFaultPower cuts the power at each step of a run.
func TestFaultPower(t *testing.T) {
	needStrace(t)
	defer watch(t)()
	tests := []struct {
		name   string
		config faults.Config
	}{
		{"publishing and delivering", faults.Config{}},
		{"with housekeeping", faults.Config{Prune: true}},
		{"with erasure", faults.Config{Erase: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := recordRun(t, tt.config)
			replay(t, p)
			if p.Images < 300 || p.Acked < 20 {
				t.Errorf("%d images with up to %d acknowledged events: too few to say anything", p.Images,
					p.Acked)
			}
			for _, loss := range p.Losses[:min(10, len(p.Losses))] {
				t.Error(loss)
			}
			t.Logf("%d images of files at %d steps, with up to %d acknowledged events: %d bad", p.Images,
				p.Steps, p.Acked, len(p.Losses))
		})
	}
}

// TestFaultPowerIsSeen shows that the test above would notice a missing sync: a host whose file is
// not synced does lose data.
func TestFaultPowerIsSeen(t *testing.T) {
	needStrace(t)
	defer watch(t)()
	p := recordRun(t, faults.Config{NoSync: true})
	replay(t, p)
	if len(p.Losses) == 0 {
		t.Error("a host that does not sync its file lost nothing: the test can't see a missing sync")
	}
	t.Logf("%d images of files that are not synced: %d bad", p.Images, len(p.Losses))
}

// TestFaultPowerAfterKill cuts the power in the life of a host that follows one which was killed as
// it was about to sync. What the first wrote is there to be seen, and not on disk.
func TestFaultPowerAfterKill(t *testing.T) {
	needStrace(t)
	defer watch(t)()
	images, lives := 0, 0
	for _, call := range []string{"fdatasync", "fsync"} {
		for n := 1; ; n += scaled(3, 1, 1) {
			p := newPower(t, faults.Config{
				OneThread: true,
				Script:    []string{faults.NewID("script", 0), faults.NewID("script", 1)},
			})
			h := startPower(t, p, faults.NewLedger(), fmt.Sprintf("%s:signal=KILL:when=%d", call, n))
			if err := h.Wait(patience); err == nil {
				break
			}
			h = startPower(t, p, faults.NewLedger())
			if err := h.Wait(patience); err != nil {
				t.Fatal(err)
			}
			replay(t, p)
			for _, loss := range p.Losses[:min(3, len(p.Losses))] {
				t.Errorf("killed at %s %d: %s", call, n, loss)
			}
			images, lives = images+p.Images, lives+1
		}
	}
	if lives < scaled(2, 6, 6) || images < scaled(30, 100, 100) {
		t.Errorf("%d images of %d killed hosts: too few to say anything", images, lives)
	}
	t.Logf("%d images after %d kills", images, lives)
}

func newPower(t *testing.T, c faults.Config) *faults.Power {
	t.Helper()
	memory, err := faults.MemoryFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(memory) })
	p := faults.NewPower(t.TempDir(), memory, c)
	p.Choices = scaled(1, 1, 3)
	return p
}

// startPower starts a life of the host that is gone when the test ends.
func startPower(
	t *testing.T, p *faults.Power, l *faults.Ledger, inject ...string,
) *faults.Child {
	t.Helper()
	h, err := p.Start(l.Note, inject...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Kill)
	return h
}

func replay(t *testing.T, p *faults.Power) {
	t.Helper()
	if err := p.Replay(); err != nil {
		t.Fatal(err)
	}
}

// recordRun runs a host for a moment: until there are so many events that there are enough commits
// to cut too if each has those of all publishers, as on a busy machine.
func recordRun(t *testing.T, c faults.Config) *faults.Power {
	t.Helper()
	c.Publishers, c.Pause = 3, time.Millisecond
	p := newPower(t, c)
	ledger := faults.NewLedger()
	h := startPower(t, p, ledger)
	await(t, h, faults.Running)
	for acked := 0; acked < scaled(50, 60, 400); acked, _ = ledger.Progress() {
		<-time.After(5 * time.Millisecond)
	}
	h.Signal(syscall.SIGTERM)
	if err := h.Wait(patience); err != nil {
		t.Fatal(err)
	}
	return p
}
