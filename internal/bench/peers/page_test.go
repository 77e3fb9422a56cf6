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
)

// docs is the folder of the documents.
const docs = "../../../docs"

// TestPagesAreOfTheRun checks that the page and the picture show what was measured last, and that
// nobody has written in them by hand.
func TestPagesAreOfTheRun(t *testing.T) {
	m, err := readMeasured(measuredFile)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{pageFile: m.page(), pictureFile: m.picture().SVG()} {
		got, err := os.ReadFile(filepath.Join(docs, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("docs/%s is not what was measured; in internal/bench/peers: go run . -draw", name)
		}
	}
	for _, key := range all {
		found := false
		for _, f := range m.Peers {
			found = found || f.Key == key && f.Skipped == ""
		}
		if !found {
			t.Errorf("%s was not measured", key)
		}
	}
}

// TestPage checks that the page and the picture tell what happened.
func TestPage(t *testing.T) {
	m := &measured{
		Date: "2026-01-02", Machine: "a machine", Rounds: 3, Lasts: "3s", Rate: 200, Raw: 30_000,
		With: []string{"Redis 7"}, Note: "It was busy.",
		Peers: []figures{
			{Name: "raw", Singly: 1, P50: 0.2, P99: 1, CPU: 40, Memory: 12},
			{
				Name: "full", Version: "v1.2.3", Keeps: "power cut", Ours: true, Singly: 0.5, Batches: 0.75,
				P50: 1, P99: 10, CPU: 50, ServerCPU: 25, Memory: 20, Resident: 30, Doubled: 4,
			},
			{Name: "absent", Skipped: "PostgreSQL is not installed"},
			{Name: "broken", Failed: []string{"round 1, singly: of 400 events 1 were lost"}, Lost: 1},
		},
	}
	page := string(m.page())
	for _, want := range []string{
		"| full v1.2.3 | power cut | 0.50 | 0.75 | 1.0 | 10.0 | 50 + 25 | 20 + 30 | 0 | 4 |",
		"| raw |  | 1.00 | – | 0.2 | 1.0 | 40 | 12 | 0 | 0 |",
		"| absent |  | not run: PostgreSQL is not installed |",
		"broken failed: round 1, singly: of 400 events 1 were lost",
		"2026-01-02", "a machine", "Redis 7", "3 rounds", "30000", "**It was busy.**", pictureFile,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q:\n%s", want, page)
		}
	}
	picture := string(m.picture().SVG())
	for _, want := range []string{"0.50 · 0.75", "1.0 – 10.0 ms", "50 + 25 ms", "failed",
		"2026-01-02", "It was busy."} {
		if !strings.Contains(picture, want) {
			t.Errorf("the picture has no %q", want)
		}
	}
	if strings.Contains(picture, "absent") {
		t.Error("the picture has what was not run")
	}
}

// TestDraw checks that what -draw writes is what a run has written.
func TestDraw(t *testing.T) {
	dir := t.TempDir()
	var out, progress bytes.Buffer
	if err := command(t.Context(), []string{"-draw", "-docs", dir}, &out, &progress); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{pageFile, pictureFile} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("-draw has not written %s: %v", name, err)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{3, 1}, 2}, {[]float64{9, 1, 2}, 2}} {
		if got := median(tt.values); got != tt.want {
			t.Errorf("of %v: got %v, want %v", tt.values, got, tt.want)
		}
	}
}

// TestServerCosts checks that a child's work and memory are counted, and those of its child too.
func TestServerCosts(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("there is no /proc")
	}
	// The outer shell waits, and the inner one works.
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "sh -c 'while :; do :; done'; :")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The inner one ends first, so that none is left behind.
	defer func() {
		for _, pid := range slices.Backward(tree(cmd.Process.Pid)) {
			if p, err := os.FindProcess(pid); err == nil {
				_ = p.Kill()
			}
		}
		_ = cmd.Wait()
	}()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(time.Minute)
	for serverCPU(cmd.Process.Pid) < 50*time.Millisecond {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("the work of a child's child counts %v", serverCPU(cmd.Process.Pid))
		}
	}
	if got := serverMemory(cmd.Process.Pid); got < 10<<10 || got > 100<<20 {
		t.Errorf("two shells have %d bytes", got)
	}
	if got := serverCPU(0) + time.Duration(serverMemory(0)); got != 0 {
		t.Errorf("no server costs %v", got)
	}
}
