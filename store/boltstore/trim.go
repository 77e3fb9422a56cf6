package boltstore

import "github.com/outhook/outhook/store/boltstore/internal/txn"

// trim notes that q may have chunks that nothing is pending of.
func (m *memory) trim(q *queue) {
	if q.Data.chunks && !q.Data.trimming {
		q.Data.trimming = true
		m.trimming = append(m.trimming, q)
	}
}

// planTrim returns whose chunks are to be looked at. What a mark has canceled is left to the sweep.
// Store.mu must be held.
func (m *memory) planTrim() (plan []txn.TrimPlan) {
	n := min(len(m.trimming), txn.TrimStep)
	for _, q := range m.trimming[:n] {
		q.Data.trimming = false
		if len(q.Data.marks) == 0 && q.Data.chunks {
			plan = append(plan, txn.TrimPlan{Num: q.Num, Floor: min(q.PackedFloor(), m.firstErasing())})
		}
	}
	if m.trimming = m.trimming[n:]; len(m.trimming) == 0 {
		m.trimming = nil
	}
	return plan
}
