package faults_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/outhook/outhook/internal/faults"
	"github.com/outhook/outhook/store/boltstore"
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
			p.replay(t)
			if p.images < 300 || p.acked < 20 {
				t.Errorf("%d images with up to %d acknowledged events: too few to say anything", p.images,
					p.acked)
			}
			for _, loss := range p.losses[:min(10, len(p.losses))] {
				t.Error(loss)
			}
			t.Logf("%d images of files at %d steps, with up to %d acknowledged events: %d bad", p.images,
				p.steps, p.acked, len(p.losses))
		})
	}
}

// TestFaultPowerIsSeen shows that the test above would notice a missing sync: a host whose file is
// not synced does lose data.
func TestFaultPowerIsSeen(t *testing.T) {
	needStrace(t)
	defer watch(t)()
	p := recordRun(t, faults.Config{NoSync: true})
	p.replay(t)
	if len(p.losses) == 0 {
		t.Error("a host that does not sync its file lost nothing: the test can't see a missing sync")
	}
	t.Logf("%d images of files that are not synced: %d bad", p.images, len(p.losses))
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
			h := p.start(t, faults.NewLedger(), fmt.Sprintf("%s:signal=KILL:when=%d", call, n))
			if err := h.Wait(patience); err == nil {
				break
			}
			h = p.start(t, faults.NewLedger())
			if err := h.Wait(patience); err != nil {
				t.Fatal(err)
			}
			p.replay(t)
			for _, loss := range p.losses[:min(3, len(p.losses))] {
				t.Errorf("killed at %s %d: %s", call, n, loss)
			}
			images, lives = images+p.images, lives+1
		}
	}
	if lives < scaled(2, 6, 6) || images < scaled(30, 100, 100) {
		t.Errorf("%d images of %d killed hosts: too few to say anything", images, lives)
	}
	t.Logf("%d images after %d kills", images, lives)
}

// power is the replay of one or more lives of a host.
type power struct {
	config faults.Config
	traces []string
	memory string // where images are made
	random *rand.Rand
	seen   map[[sha256.Size]byte]bool // images that were looked at, with what was known then

	steps, images, acked int
	losses               []string
}

func newPower(t *testing.T, c faults.Config) *power {
	t.Helper()
	c.Path = filepath.Join(t.TempDir(), "outhook.db")
	c.URLs = []string{"http://127.0.0.1:9999/a", "http://127.0.0.1:9999/b"}
	c.Agent, c.Inside = "power", true
	return &power{
		config: c,
		memory: memoryFolder(t),
		random: rand.New(rand.NewPCG(1, 2)),
		seen:   make(map[[sha256.Size]byte]bool),
	}
}

// start starts a life of the host whose system calls are recorded.
func (p *power) start(t *testing.T, l *faults.Ledger, inject ...string) *faults.Child {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	p.traces = append(p.traces, trace)
	return start(t, p.config, l.Note, faults.TraceArgs(trace, inject...)...)
}

// recordRun runs a host for a moment.
func recordRun(t *testing.T, c faults.Config) *power {
	t.Helper()
	c.Publishers, c.Pause = 3, time.Millisecond
	p := newPower(t, c)
	ledger := faults.NewLedger()
	h := p.start(t, ledger)
	await(t, h, faults.Running)
	for acked := 0; acked < scaled(25, 40, 400); acked, _ = ledger.Progress() {
		<-time.After(5 * time.Millisecond)
	}
	h.Signal(syscall.SIGTERM)
	if err := h.Wait(patience); err != nil {
		t.Fatal(err)
	}
	return p
}

// replay looks at what a power cut would leave at each step.
func (p *power) replay(t *testing.T) {
	t.Helper()
	disk := faults.NewDisk(filepath.Dir(p.config.Path))
	for _, name := range p.traces {
		trace, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		err = disk.Replay(trace, func(step string, marks []faults.Mark) error {
			p.steps++
			for name, loss := range faults.Losses(p.random, scaled(1, 1, 3)) {
				if err := p.cut(disk, loss, marks); err != nil {
					p.losses = append(p.losses,
						fmt.Sprintf("step %d, %s, of what was not synced %s: %v", p.steps, step, name, err))
				}
			}
			return nil
		})
		trace.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// cut opens the store that a power cut would leave now, and searches it for what was acknowledged.
func (p *power) cut(disk *faults.Disk, loss faults.Loss, marks []faults.Mark) error {
	folder, err := os.MkdirTemp(p.memory, "image")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := disk.Image(folder, loss); err != nil {
		return err
	}
	known := factsOf(marks)
	known.pruned = p.config.Prune
	p.acked = max(p.acked, len(known.acked))
	path := filepath.Join(folder, "outhook.db")
	content, _ := os.ReadFile(path)
	key := sha256.Sum256(fmt.Appendf(content, "%v", len(marks)))
	if p.seen[key] {
		return nil
	}
	p.seen[key] = true
	p.images++
	s, err := boltstore.Open(path, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	return known.check(s)
}

// memoryFolder returns a folder that costs no disk, where there is one.
func memoryFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "outhook")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}
