package main

import (
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// snapshot is what this process has used at a moment.
type snapshot struct {
	at      time.Time
	cpu     time.Duration
	written uint64 // bytes of files
	memory  runtime.MemStats
	peak    *peak
}

// spent is what n deliveries took.
type spent struct {
	n        int
	rate     float64 // a second
	cpu      float64 // µs of this process for one
	allocs   float64 // for one
	bytes    float64 // allocated for one
	written  float64 // bytes of files for one
	syncs    float64 // for a thousand; set by the caller
	anon     float64 // MiB of memory that is no file's, at most
	routines int     // goroutines at most
}

// begin begins to measure, from a collected heap.
func begin() *snapshot {
	debug.FreeOSMemory()
	s := &snapshot{peak: watchPeak()}
	runtime.ReadMemStats(&s.memory)
	s.cpu, s.written, s.at = cpuTime(), writtenBytes(), time.Now()
	return s
}

// end ends it: n deliveries were there at the time last.
func (s *snapshot) end(last time.Time, n int) spent {
	var now runtime.MemStats
	cpu := cpuTime()
	runtime.ReadMemStats(&now)
	s.peak.stop()
	per := func(x uint64) float64 { return float64(x) / float64(n) }
	return spent{
		n:        n,
		rate:     float64(n) / last.Sub(s.at).Seconds(),
		cpu:      float64((cpu - s.cpu).Nanoseconds()) / 1000 / float64(n),
		allocs:   per(now.Mallocs - s.memory.Mallocs),
		bytes:    per(now.TotalAlloc - s.memory.TotalAlloc),
		written:  per(writtenBytes() - s.written),
		anon:     float64(s.peak.anon) / (1 << 20),
		routines: s.peak.routines,
	}
}

// peakEvery is how often a peak is looked for.
const peakEvery = 20 * time.Millisecond

// peak is the most that was seen of what comes and goes. Read it after stop.
type peak struct {
	anon     uint64
	routines int
	files    int

	quit chan struct{}
	done sync.WaitGroup
}

func watchPeak() *peak {
	p := &peak{quit: make(chan struct{})}
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

func (p *peak) look() {
	p.anon = max(p.anon, anonymousBytes())
	p.routines = max(p.routines, runtime.NumGoroutine())
	p.files = max(p.files, openFiles())
}

func (p *peak) stop() {
	close(p.quit)
	p.done.Wait()
	p.look()
}
