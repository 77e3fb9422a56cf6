package memory

import (
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
)

// Prune finds what is past its retention without reading what is not: memory knows of each run of
// events when the first of their deliveries finished that are still kept. Each delivery that
// finishes is noted from its commit on; what is older is noted when Prune reads it, once after the
// store was opened. What memory knows is a lower bound: a redelivery does not take its note back,
// so Prune may look at a run in vain, once.

// The size of what memory knows. A run has 64 events at first, and twice as many whenever there are
// too many runs. So one delivery that is past its retention costs a look at the events of its run.
const (
	runShift = 6
	maxRuns  = 4096
)

// ages is what memory knows of the age of what has finished. It is part of memory.
type ages struct {
	shift uint           // a run is the events with the same number without this many bits
	Runs  map[uint64]age // those that have something finished, by that number

	// The events from unread to last were stored before the store was opened, and have not been
	// read.
	unread, last uint64
	again        uint64 // if not 0, the next round is to read all events up to this one
}

// age is what memory knows of a run: when the first delivery finished of those that are delivered,
// and of the others; 0 if there is none.
type age struct {
	delivered, failed int64
	// A subscription of one of the events was deleted: it may have no recipient left.
	orphaned bool
}

// noteFinished notes that a delivery of an event finished.
func (a *ages) noteFinished(seq uint64, delivered bool, at int64) {
	if delivered {
		a.merge(seq, age{delivered: at})
	} else {
		a.merge(seq, age{failed: at})
	}
}

// merge adds what is known to the run of an event.
func (a *ages) merge(seq uint64, other age) {
	if a.Runs == nil {
		a.Runs = make(map[uint64]age)
	}
	run := seq >> a.shift
	a.Runs[run] = a.Runs[run].with(other)
	for len(a.Runs) > maxRuns {
		a.coarsen()
	}
}

// mergeAll adds what other knows, of runs that are no longer than a's.
func (a *ages) mergeAll(other *ages) {
	for run, g := range other.Runs {
		a.merge(run<<other.shift, g)
	}
}

// coarsen makes the runs twice as long.
func (a *ages) coarsen() {
	runs := make(map[uint64]age, len(a.Runs))
	for run, g := range a.Runs {
		runs[run>>1] = runs[run>>1].with(g)
	}
	a.Runs = runs
	a.shift++
}

// with returns what two notes of a run say together.
func (g age) with(other age) age {
	return age{
		delivered: earlier(g.delivered, other.delivered),
		failed:    earlier(g.failed, other.failed),
		orphaned:  g.orphaned || other.orphaned,
	}
}

// earlier returns the earlier of two times. 0 stands for no time.
func earlier(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// readAgain has the next round read all events up to last. The present one goes on as it is.
func (a *ages) readAgain(last uint64) { a.again = last }

// due takes the runs that a round of Prune is to look at. What is still kept of them must be merged
// again when they have been looked at.
func (a *ages) due(r store.Retention, now int64) (round []scan.Stretch) {
	var runs []uint64
	for run, g := range a.Runs {
		if g.due(r, now) {
			runs = append(runs, run)
			delete(a.Runs, run)
		}
	}
	slices.Sort(runs)
	for _, run := range runs {
		from, to := run<<a.shift, (run+1)<<a.shift-1
		if n := len(round); n > 0 && round[n-1].To == from-1 {
			round[n-1].To = to
		} else {
			round = append(round, scan.Stretch{From: from, To: to})
		}
	}
	return round
}

// toRead returns what a round of Prune is to read beside that, if there is anything.
func (a *ages) toRead() []scan.Stretch {
	if a.again != 0 {
		a.unread, a.last, a.again = 1, a.again, 0
	}
	if max(a.unread, 1) > a.last {
		return nil
	}
	return []scan.Stretch{{From: a.unread, To: a.last, Unread: true}}
}

// due reports whether a delivery of the run may be past its retention, or an event without
// recipients.
func (g age) due(r store.Retention, now int64) bool {
	return g.orphaned ||
		r.Delivered > 0 && g.delivered != 0 && now-g.delivered > int64(r.Delivered) ||
		r.Failed > 0 && g.failed != 0 && now-g.failed > int64(r.Failed)
}
