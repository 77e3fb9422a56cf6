package boltstore

import (
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// What is pending is known from the events: each says for whom it is, and a delivery without a row is pending. So that
// this needs neither much memory nor long reading when the store is opened, there is a watermark. Above it are as many
// events as memory has room for; below it, a delivery without a row is pending only when it is in a chunk, and gone
// otherwise. The watermark rises when there is too much above it: first those deliveries get into chunks, some in each
// commit, that are pending without a row, which in good times are next to none.

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
	spans  []span
	above  int    // deliveries of all spans
	at     uint64 // the watermark
	wanted uint64 // where it must be at least, for Prune
	rise   *rise  // nil when it stays

	trimming []*queue // those that may have chunks to be removed
}

// addSpan counts a new event.
func (s *Store) addSpan(seq uint64, count int) {
	s.above += count
	if n := len(s.spans); n > 0 && s.spans[n-1].count+count <= s.budget/64 {
		s.spans[n-1].count += count
		s.spans[n-1].last = max(s.spans[n-1].last, seq)
		return
	}
	s.spans = append(s.spans, span{seq, count})
}

// setWatermark notes that the watermark is up.
func (s *Store) setWatermark(to uint64) {
	s.at, s.rise = to, nil
	for len(s.spans) > 0 && s.spans[0].last <= to {
		s.above -= s.spans[0].count
		s.spans = s.spans[1:]
	}
}

// planRise decides whether the watermark is to go up, and how far.
func (s *Store) planRise() *rise {
	if s.rise != nil {
		return s.rise
	}
	to := s.at
	if s.above > s.budget {
		above := s.above
		for _, sp := range s.spans {
			if above <= s.budget/2 {
				break
			}
			above -= sp.count
			to = sp.last
		}
	}
	if to = max(to, s.wanted); to == s.at {
		return nil
	}
	s.rise = &rise{to: to}
	s.schedule.Subs(func(q *queue) {
		if first, ok := q.ImplicitFirst(); ok && first <= to {
			s.rise.nums = append(s.rise.nums, q.Num)
		}
	})
	slices.Sort(s.rise.nums)
	return s.rise
}

// defaultSpillStep is how many subscriptions get chunks in one commit. It is more when memory has much more than its
// budget.
const defaultSpillStep = 2000

// planSpill returns the next part of the rise; nil when there is none. Store.mu must be held.
func (s *Store) planSpill() *txn.SpillPlan {
	r := s.planRise()
	if r == nil {
		return nil
	}
	n := min(len(r.nums), s.spillStep*(1+s.above/s.budget))
	p := &txn.SpillPlan{To: r.to, Nums: r.nums[:n], Completes: n == len(r.nums)}
	for _, num := range p.Nums {
		var seqs []uint64
		var known record.Backlog
		if q := s.schedule.Sub(num); q != nil {
			seqs = q.ImplicitUpTo(r.to)
			known = record.Backlog{Pending: q.Data.pending, Chunks: q.Data.chunks, Marks: q.Data.marks}
		}
		p.Implicit, p.Backlogs = append(p.Implicit, seqs), append(p.Backlogs, known)
	}
	return p
}

// spilled takes in that deliveries are in chunks.
func (s *Store) spilled(num uint64, seqs []uint64) {
	q := s.schedule.Sub(num)
	if q == nil {
		return
	}
	q.Data.chunks = true
	pin(q)
	dead := func(seq uint64) bool { return record.CanceledBy(q.Data.marks, seq) != nil }
	for _, seq := range seqs {
		if !dead(seq) {
			q.Data.stored.moved(seq, true)
		}
	}
	s.schedule.Pack(q, seqs, dead, s.now())
}
