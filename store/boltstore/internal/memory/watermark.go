package memory

import (
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// What is pending is known from the events: each has its recipients, and a delivery without a row
// is pending. So that this needs neither much memory nor long reading when the store is opened,
// there is a watermark. Above it are as many events as memory has room for; below it, a delivery
// without a row is pending only when it is in a chunk, and gone otherwise. The watermark rises when
// there is too much above it: first those deliveries get into chunks, some in each commit, that are
// pending without a row, which in good times are next to none.

// defaultBudget is how many deliveries the events above the watermark may have.
const defaultBudget = 64 << 10

// span is a run of events above the watermark.
type span struct {
	last  uint64 // its last event
	count int    // how many deliveries its events have
}

// rise is the watermark on its way up.
type rise struct {
	to   uint64   // where it is to be
	nums []uint64 // the subscriptions that may still have something without a row below that
}

// level is the state of the watermark. It is part of memory.
type level struct {
	spans    []span
	Above    int    // deliveries of all spans
	at       uint64 // the watermark
	required uint64 // where it must be at least, for Prune
	rise     *rise  // nil when it stays

	trimming []*Queue // those that may have chunks to be removed
}

// addSpan counts a new event.
func (m *Memory) addSpan(seq uint64, count int) {
	m.Above += count
	// Events are joined into spans, so that there are few of them, however narrow the events are.
	if n := len(m.spans); n > 0 && m.spans[n-1].count+count <= m.Budget/64 {
		m.spans[n-1].count += count
		m.spans[n-1].last = max(m.spans[n-1].last, seq)
		return
	}
	m.spans = append(m.spans, span{seq, count})
}

// setWatermark notes that the watermark is up.
func (m *Memory) setWatermark(to uint64) {
	m.at, m.rise = to, nil
	// A span that reaches above the watermark still counts in full. Above is then too high and never
	// too low, so memory stays within its budget.
	for len(m.spans) > 0 && m.spans[0].last <= to {
		m.Above -= m.spans[0].count
		m.spans = m.spans[1:]
	}
}

// planRise decides whether the watermark is to go up, and how far.
func (m *Memory) planRise() *rise {
	if m.rise != nil {
		return m.rise
	}
	to := m.at
	if m.Above > m.Budget {
		above := m.Above
		for _, sp := range m.spans {
			// To half of the budget and not just below it, so that a rise is rare.
			if above <= m.Budget/2 {
				break
			}
			above -= sp.count
			to = sp.last
		}
	}
	if to = max(to, m.required); to == m.at {
		return nil
	}
	// The list is made once: what becomes implicit from now on is above the rise.
	m.rise = &rise{to: to}
	m.Schedule.Subs(func(q *Queue) {
		if first, ok := q.ImplicitFirst(); ok && first <= to {
			m.rise.nums = append(m.rise.nums, q.Num)
		}
	})
	slices.Sort(m.rise.nums)
	return m.rise
}

// defaultSpillStep is how many subscriptions get chunks in one commit. It is more when memory has
// much more than its budget.
const defaultSpillStep = 2000

// PlanSpill returns the next part of the rise; nil if there is none. The mutex of the store's state
// is held.
func (m *Memory) PlanSpill() *txn.SpillPlan {
	r := m.planRise()
	if r == nil {
		return nil
	}
	// The further memory is beyond its budget, the more in each commit: or else publishers who are
	// faster than the rise would make it grow for as long as they go on.
	n := min(len(r.nums), m.spillStep*(1+m.Above/m.Budget))
	// With the last part the watermark itself is raised in the file, and not before: below it a
	// delivery with neither a row nor a chunk counts as gone.
	p := &txn.SpillPlan{To: r.to, Nums: r.nums[:n], Completes: n == len(r.nums)}
	for _, num := range p.Nums {
		var seqs []uint64
		var known record.Backlog
		if q := m.Schedule.Sub(num); q != nil {
			seqs = q.ImplicitUpTo(r.to)
			known = record.Backlog{Pending: q.Data.Pending, Chunks: q.Data.Chunks,
				Marks: q.Data.Marks}
		}
		p.Implicit, p.Backlogs = append(p.Implicit, seqs), append(p.Backlogs, known)
	}
	return p
}

// spilled takes in that deliveries are in chunks.
func (m *Memory) spilled(num uint64, seqs []uint64) {
	q := m.Schedule.Sub(num)
	if q == nil {
		return
	}
	q.Data.Chunks = true
	pin(q)
	dead := func(seq uint64) bool { return record.CanceledBy(q.Data.Marks, seq) != nil }
	for _, seq := range seqs {
		if !dead(seq) {
			q.Data.Oldest.moved(seq, true)
		}
	}
	m.Schedule.Pack(q, seqs, dead, m.now())
	m.tenants.recount(q)
}
