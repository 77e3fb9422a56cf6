package memory

// What waits without a row is in memory, eight bytes each, and is read by who takes its share over.
// So what stays behind gets rows: of those, memory has a window.
const (
	// MaxRowless is how many deliveries of a replica may be pending without a row, and MaxLag how
	// many events the oldest of them may be behind the newest.
	MaxRowless = 100_000
	MaxLag     = 100_000
)

// SetLimits sets how much may be pending without a row.
func (m *Memory) SetLimits(rowless int, lag uint64) { m.maxRowless, m.maxLag = rowless, lag }

// Rowless returns how many deliveries are pending without a row, and the first of their events.
func (m *Memory) Rowless() (total int, lowest uint64) {
	lowest = m.lastSeq
	m.Schedule.Subs(func(q *Queue) {
		n, first := q.ImplicitPending()
		if total += n; n > 0 {
			lowest = min(lowest, first)
		}
	})
	return total, lowest
}

// RowlessCount returns how many deliveries of a subscription are pending without a row, leased or
// not.
func (m *Memory) RowlessCount(sub uint64) int {
	if q := m.Schedule.Sub(sub); q != nil {
		return q.ImplicitCount()
	}
	return 0
}

// RowsGiven counts the changes by which a delivery without a row may have got one and stayed
// pending, or shares were taken or lost. Who reads rows and then memory sees by it that what was
// without a row may be in neither.
func (m *Memory) RowsGiven() uint64 { return m.rowsGiven }

// OldestRowless returns at most so many of the deliveries that should get a row, the oldest: if
// there are too many without one, or some are too old. Those that are leased are about to get one.
func (m *Memory) OldestRowless(most int) (oldest []Delivery) {
	total, lowest := m.Rowless()
	cut := uint64(0)
	if lag := m.lastSeq - lowest; total > m.maxRowless {
		// The older half: with just the excess, the next publication would be over again.
		cut = lowest + lag/2
	} else if lag > m.maxLag {
		cut = m.lastSeq - m.maxLag
	}
	m.Schedule.Subs(func(q *Queue) {
		if len(oldest) < most {
			oldest = appendFree(oldest, q, cut)
		}
	})
	return oldest[:min(len(oldest), most)]
}

// RowlessOf returns what is pending of a subscription without a row, and not leased.
func (m *Memory) RowlessOf(sub uint64) []Delivery {
	q := m.Schedule.Sub(sub)
	if q == nil {
		return nil
	}
	return appendFree(nil, q, m.lastSeq)
}

// appendFree appends what is pending of a queue without a row up to an event, and not leased.
func appendFree(to []Delivery, q *Queue, upTo uint64) []Delivery {
	for _, seq := range q.ImplicitUpTo(upTo) {
		if !q.Busy(seq) {
			to = append(to, Delivery{q.Num, seq})
		}
	}
	return to
}
