package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/internal/faults"
)

func TestMain(m *testing.M) {
	faults.HostMain()
	os.Exit(m.Run())
}

// TestDraw kills a host once, cuts the power of another, and draws that.
func TestDraw(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		if os.Getenv("OUTHOOK_CI") != "" {
			t.Fatal("strace is not installed")
		}
		t.Skip("strace is not installed")
	}
	file := filepath.Join(t.TempDir(), "kill.svg")
	var errs bytes.Buffer
	err := run([]string{"-kills", "1", "-events", "8", "-file", file}, &errs)
	if err != nil {
		t.Fatalf("%v\n%s", err, &errs)
	}
	svg, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"lost: 0.", "with an acknowledged event missing: 0."} {
		if !strings.Contains(string(svg), want) {
			t.Errorf("the picture does not say %q:\n%s", want, svg)
		}
	}
}

// TestShow checks that the kill that is shown is the median one, with what was around it.
func TestShow(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	w := &watcher{}
	var kills3 []time.Time
	for i, on := range []int{30, 10, 20} { // ms until deliveries go on
		kill := 10_000 * i
		kills3 = append(kills3, at(kill))
		w.acked = append(w.acked, at(kill-1000), at(kill-5), at(kill+on+1))
		w.opened = append(w.opened, at(kill+5))
		w.arrived = append(w.arrived, at(kill-5), at(kill+1), at(kill+on))
	}
	var k kills
	w.repeated = []time.Time{at(10_011)}
	if k.show(w, kills3); len(k.shown.repeated) != 1 || k.shown.on != 10*time.Millisecond {
		t.Errorf("%v is shown, want the one after which something was repeated", k.shown)
	}
	k, w.repeated = kills{}, nil
	k.show(w, kills3)
	const ms = time.Millisecond
	if want := []time.Duration{10 * ms, 20 * ms, 30 * ms}; !slices.Equal(k.on, want) {
		t.Errorf("deliveries go on after %v, want %v", k.on, want)
	}
	if want := []time.Duration{-5 * ms, 21 * ms}; !slices.Equal(k.shown.acked, want) {
		t.Errorf("acknowledged at %v around the kill, want %v", k.shown.acked, want)
	}
	if k.shown.opened != 5*ms || k.shown.on != 20*ms {
		t.Errorf("opened after %v, and on after %v", k.shown.opened, k.shown.on)
	}
}
