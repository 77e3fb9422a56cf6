package faults_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/outhook/outhook/internal/faults"
)

// TestFaultDiskFull fills the file system under a host that publishes, and makes room again. It
// needs the right to mount one.
func TestFaultDiskFull(t *testing.T) {
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("cannot mount a small file system: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(folder, syscall.MNT_DETACH) })
	ledger := faults.NewLedger()
	receiver := faults.NewReceiver(ledger, nil)
	t.Cleanup(receiver.Close)
	failed, acked := make(chan struct{}, 1<<20), make(chan struct{}, 1<<20)
	config := faults.Config{
		Path:       filepath.Join(folder, "outhook.db"),
		URLs:       []string{receiver.URL + "/a"},
		Agent:      "first",
		Publishers: 4,
	}
	h := start(t, config, func(m faults.Mark) {
		ledger.Note(m)
		switch m.Kind {
		case faults.Fail:
			failed <- struct{}{}
		case faults.Ack:
			acked <- struct{}{}
		}
	})
	await(t, h, faults.Running)
	ballast := filepath.Join(folder, "ballast")
	take(t, acked, 20)
	fill(t, ballast)
	take(t, failed, 20)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	drain(acked)
	take(t, acked, 20) // without a restart
	h.Kill()

	config.Agent, config.Publishers, config.Again = "second", 0, ledger.InDoubt()
	config.Script = []string{faults.NewID("second", 0)}
	if err := start(t, config, ledger.Note).Wait(patience); err != nil {
		t.Fatal(err)
	}
	t.Logf("on a full file system: %v", judge(t, ledger, "/a"))
}

// fill makes a file that takes all the room there is.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 64 << 10; size >= 512; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}

// take waits for so many values.
func take(t *testing.T, c <-chan struct{}, n int) {
	t.Helper()
	for i := range n {
		select {
		case <-c:
		case <-time.After(patience):
			t.Fatalf("%d of %d came within %v", i, n, patience)
		}
	}
}

func drain(c <-chan struct{}) {
	for len(c) > 0 {
		<-c
	}
}
