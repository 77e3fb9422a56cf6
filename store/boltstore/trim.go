package boltstore

import "github.com/outhook/outhook/store/boltstore/internal/txn"

// trim notes that q may have chunks that nothing is pending of.
func (s *Store) trim(q *queue) {
	if q.Data.chunks && !q.Data.trimming {
		q.Data.trimming = true
		s.trimming = append(s.trimming, q)
	}
}

// planTrim returns whose chunks are to be looked at. What a mark has canceled is left to the sweep.
// Store.mu must be held.
func (s *Store) planTrim() (plan []txn.TrimPlan) {
	n := min(len(s.trimming), txn.TrimStep)
	for _, q := range s.trimming[:n] {
		q.Data.trimming = false
		if len(q.Data.marks) == 0 && q.Data.chunks {
			plan = append(plan, txn.TrimPlan{Num: q.Num, Floor: min(q.PackedFloor(), s.firstErasing())})
		}
	}
	if s.trimming = s.trimming[n:]; len(s.trimming) == 0 {
		s.trimming = nil
	}
	return plan
}
