package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"
)

// measuredFile is what the page and the picture are made from.
const measuredFile = "measured.json"

// measured is a whole run.
type measured struct {
	Date    string   // the day
	Machine string   // what it ran on
	With    []string // the servers and their versions
	Note    string   // what is to be known of the run
	Rounds  int
	Lasts   string  // about how long a measurement lasted
	Rate    int     // events a second of the steady work
	Raw     float64 // deliveries a second of raw
	Peers   []figures
}

// figures are the medians of a peer's rounds.
type figures struct {
	Key, Name string
	Version   string
	Keeps     string
	Ours      bool
	Skipped   string   // why it was not run
	Failed    []string // what went wrong

	Singly, Batches  float64 // deliveries a second ÷ raw; 0 if that was not measured
	P50, P99         float64 // ms
	CPU, ServerCPU   float64 // ms for 1,000 events
	Memory, Resident float64 // MiB
	Events           int     // in all rounds
	Lost, Doubled    int
}

// result returns the medians.
func (r *run) result() *measured {
	m := &measured{
		Date: time.Now().UTC().Format(time.DateOnly), Note: r.note, Rounds: r.rounds,
		Machine: fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(),
			runtime.Version()),
		Lasts: r.lasts.String(), Rate: r.rate, Raw: median(r.tallies[0].rates),
	}
	for name, version := range r.servers.versions {
		m.With = append(m.With, name+" "+version)
	}
	slices.Sort(m.With)
	versions := moduleVersions()
	for _, t := range r.tallies {
		f := figures{
			Key: t.key, Name: t.name, Version: versions[t.module], Keeps: t.keeps, Ours: t.ours(),
			Skipped: t.skipped, Failed: t.failed,
			Singly: median(t.singly), Batches: median(t.batches),
			P50: median(t.p50), P99: median(t.p99),
			CPU: median(t.cpu), ServerCPU: median(t.serverCPU),
			Memory: median(t.memory), Resident: median(t.resident),
			Events: t.events, Lost: t.lost, Doubled: t.doubled,
		}
		if t.key == raw && len(t.rates) > 0 {
			f.Singly = 1
		}
		m.Peers = append(m.Peers, f)
	}
	return m
}

// moduleVersions returns the versions of the modules that are linked in.
func moduleVersions() map[string]string {
	versions := make(map[string]string)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			versions[m.Path] = m.Version
		}
	}
	return versions
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	if n := len(sorted); n%2 == 0 {
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
	return sorted[len(sorted)/2]
}

// write writes it for -draw.
func (m *measured) write(path string) error {
	text, err := json.MarshalIndent(m, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

func readMeasured(path string) (*measured, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := new(measured)
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}
