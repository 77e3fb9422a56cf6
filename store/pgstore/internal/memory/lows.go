package memory

import (
	"math"
	"slices"
)

// lows returns how far the low mark of each share of this replica may go: to just before the first
// delivery without a row, and not past a publication that is under way.
func (m *Memory) lows() (lows [Shares]uint64) {
	limit := m.lowest(m.lastSeq)
	for id := range lows {
		lows[id] = limit
	}
	m.Schedule.Subs(func(q *Queue) {
		if seq, ok := q.ImplicitFirst(); ok {
			low := &lows[ShareOf(q.Num)]
			*low = min(*low, seq-1)
		}
	})
	return lows
}

// Lows are the low marks of some shares, with the fences of these.
type Lows struct {
	IDs    []int32
	Fences []int64
	Lows   []int64
}

// RisenLows returns the low marks that are higher than the database has them. If a step is given,
// it returns none unless one is higher by more than that. After a Doubt it returns none.
func (m *Memory) RisenLows(step uint64) (risen Lows) {
	if m.doubted { // there may be something below them that memory does not have
		return risen
	}
	all, held := m.lows(), m.Held()
	if step > 0 && !slices.ContainsFunc(held, func(id int32) bool {
		return all[id] > m.shares[id].low+step
	}) {
		return risen
	}
	// Once there is a statement, all that have risen go with it.
	for _, id := range held {
		if sh := &m.shares[id]; all[id] > sh.low {
			risen.IDs = append(risen.IDs, id)
			risen.Fences = append(risen.Fences, sh.fence)
			risen.Lows = append(risen.Lows, int64(all[id]))
		}
	}
	return risen
}

// LoadLimit returns the highest event up to which deliveries of shares that are being loaded may
// get rows: not past what this replica publishes at the same time, nor past what it has published
// since it began to load.
func (m *Memory) LoadLimit(ids []int32) int64 {
	most := int64(m.lowest(math.MaxInt64))
	for _, id := range ids {
		for _, d := range m.shares[id].fed {
			most = min(most, int64(d.Seq)-1)
		}
	}
	return most
}
