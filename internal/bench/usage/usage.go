// Package usage measures what this process uses of the machine: the processors, memory, files.
package usage

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// Snapshot is what this process has used at a moment.
type Snapshot struct {
	at      time.Time
	cpu     time.Duration
	written uint64 // bytes of files
	memory  runtime.MemStats
	peak    *Peak
}

// Spent is what n deliveries took.
type Spent struct {
	N        int
	Rate     float64 // a second
	CPU      float64 // µs of this process for one
	Allocs   float64 // for one
	Bytes    float64 // allocated for one
	Written  float64 // bytes of files for one
	Syncs    float64 // for a thousand; set by the caller
	Anon     float64 // MiB of memory that is no file's, at most
	Routines int     // goroutines at most
}

// Begin begins to measure, from a collected heap.
func Begin() *Snapshot {
	debug.FreeOSMemory()
	s := &Snapshot{peak: WatchPeak()}
	runtime.ReadMemStats(&s.memory)
	s.cpu, s.written, s.at = CPUTime(), writtenBytes(), time.Now()
	return s
}

// End ends it: n deliveries were there at the time last.
func (s *Snapshot) End(last time.Time, n int) Spent {
	var now runtime.MemStats
	cpu := CPUTime()
	runtime.ReadMemStats(&now)
	s.peak.Stop()
	per := func(x uint64) float64 { return float64(x) / float64(n) }
	return Spent{
		N:        n,
		Rate:     float64(n) / last.Sub(s.at).Seconds(),
		CPU:      float64((cpu - s.cpu).Nanoseconds()) / 1000 / float64(n),
		Allocs:   per(now.Mallocs - s.memory.Mallocs),
		Bytes:    per(now.TotalAlloc - s.memory.TotalAlloc),
		Written:  per(writtenBytes() - s.written),
		Anon:     float64(s.peak.Anon) / (1 << 20),
		Routines: s.peak.Routines,
	}
}

// peakEvery is how often a peak is looked for.
const peakEvery = 20 * time.Millisecond

// Peak is the most that was seen of what comes and goes. Read it after Stop.
type Peak struct {
	Anon     uint64
	Routines int
	Files    int

	quit chan struct{}
	done sync.WaitGroup
}

// WatchPeak begins to look, each 20 ms.
func WatchPeak() *Peak {
	p := &Peak{quit: make(chan struct{})}
	p.look()
	p.done.Go(func() {
		tick := time.NewTicker(peakEvery)
		defer tick.Stop()
		for {
			select {
			case <-p.quit:
				return
			case <-tick.C:
				p.look()
			}
		}
	})
	return p
}

func (p *Peak) look() {
	p.Anon = max(p.Anon, AnonymousBytes())
	p.Routines = max(p.Routines, runtime.NumGoroutine())
	p.Files = max(p.Files, openFiles())
}

// Stop ends it, after a last look.
func (p *Peak) Stop() {
	close(p.quit)
	p.done.Wait()
	p.look()
}
