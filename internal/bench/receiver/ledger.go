package receiver

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// expectation is what a receiver is told to expect: the events 0 to Events−1, each once on each of
// the paths /hook/0 to /hook/Paths−1.
type expectation struct {
	Paths, Events int
}

// Report is what has come.
type Report struct {
	Arrived   int   // requests that were expected
	Missing   int   // requests that did not come
	Doubled   int   // requests that came again
	Strangers int   // requests that were not expected
	Unsigned  int   // requests whose signature was looked at and was wrong
	Last      int64 // when the last request came, in nanoseconds since 1970

	Latency []Latency // of each path
}

// Latency is how long events took from Publish to the receiver.
type Latency struct {
	P50, P99, Max time.Duration
	Shares        [len(Shares)]time.Duration // what each of the Shares took at most
}

// Shares are the shares of all events that a Latency has a time for, beside the longest.
var Shares = [...]float64{0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999}

// Err says what is wrong with a report; nil when all has come, once.
func (r *Report) Err() error {
	if r.Missing+r.Doubled+r.Strangers+r.Unsigned == 0 {
		return nil
	}
	return fmt.Errorf("the receiver missed %d deliveries, and got %d twice, %d that were never sent "+
		"and %d badly signed (%d were right)",
		r.Missing, r.Doubled, r.Strangers, r.Unsigned, r.Arrived)
}

// ledger counts what comes.
type ledger struct {
	mu     sync.Mutex
	expect expectation
	counts []uint8
	took   []time.Duration
	report Report
	done   chan struct{} // closed when all has come
}

func newLedger(e expectation) *ledger {
	n := e.Paths * e.Events
	l := &ledger{expect: e, counts: make([]uint8, n), took: make([]time.Duration, n),
		done: make(chan struct{})}
	if n == 0 {
		close(l.done)
	}
	return l
}

// note counts a request.
func (l *ledger) note(path, event int, sent time.Time, signed bool) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if path < 0 || event < 0 || path >= l.expect.Paths || event >= l.expect.Events {
		l.report.Strangers++
		return
	}
	if !signed {
		l.report.Unsigned++
	}
	i := path*l.expect.Events + event
	if l.counts[i]++; l.counts[i] > 1 {
		l.counts[i] = 2
		l.report.Doubled++
		return
	}
	l.took[i] = now.Sub(sent)
	l.report.Last = now.UnixNano()
	if l.report.Arrived++; l.report.Arrived == len(l.counts) {
		close(l.done)
	}
}

// result returns the report as of now.
func (l *ledger) result() Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.report
	r.Missing = len(l.counts) - r.Arrived
	for path := range l.expect.Paths {
		var took []time.Duration
		for event := range l.expect.Events {
			if i := path*l.expect.Events + event; l.counts[i] > 0 {
				took = append(took, l.took[i])
			}
		}
		r.Latency = append(r.Latency, Summarize(took))
	}
	return r
}

// Summarize sorts the times and returns what the median and the slowest are.
func Summarize(took []time.Duration) Latency {
	if len(took) == 0 {
		return Latency{}
	}
	slices.Sort(took)
	l := Latency{P50: took[len(took)/2], P99: took[len(took)*99/100], Max: took[len(took)-1]}
	for i, share := range Shares {
		l.Shares[i] = took[int(float64(len(took))*share)]
	}
	return l
}
