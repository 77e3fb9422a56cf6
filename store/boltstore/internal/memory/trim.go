package memory

import "github.com/outhook/outhook/store/boltstore/internal/txn"

// Trim notes that q may have chunks that nothing is pending of.
func (m *Memory) Trim(q *Queue) {
	if q.Data.Chunks && !q.Data.trimming {
		q.Data.trimming = true
		m.trimming = append(m.trimming, q)
	}
}

// PlanTrim returns whose chunks are to be looked at. What a mark has canceled is left to the purge.
// The mutex of the store's state is held.
func (m *Memory) PlanTrim() (plan []txn.TrimPlan) {
	n := min(len(m.trimming), txn.TrimStep)
	for _, q := range m.trimming[:n] {
		q.Data.trimming = false // what ends from here on puts it on the list again
		if len(q.Data.Marks) == 0 && q.Data.Chunks {
			// What is being erased is still to be found in its chunks by the steps of its erasure.
			floor := min(q.PackedFloor(), m.firstErasing())
			plan = append(plan, txn.TrimPlan{Num: q.Num, Floor: floor})
		}
	}
	if m.trimming = m.trimming[n:]; len(m.trimming) == 0 {
		m.trimming = nil
	}
	return plan
}
