package boltstore

// trimStep bounds the subscriptions, and the chunks of each, that one commit looks at.
const trimStep = 64

// trim notes that q may have chunks that nothing is pending of.
func (s *Store) trim(q *queue) {
	if q.Data.chunks && !q.Data.trimming {
		q.Data.trimming = true
		s.trimming = append(s.trimming, q)
	}
}

// trimmable is a subscription whose chunks below an event can go.
type trimmable struct{ num, floor uint64 }

// planTrim returns whose chunks are to be looked at. What a mark has canceled is left to the sweep.
// Store.mu must be held.
func (s *Store) planTrim() (plan []trimmable) {
	n := min(len(s.trimming), trimStep)
	for _, q := range s.trimming[:n] {
		q.Data.trimming = false
		if len(q.Data.marks) == 0 && q.Data.chunks {
			plan = append(plan, trimmable{q.Num, min(q.PackedFloor(), s.firstErasing())})
		}
	}
	if s.trimming = s.trimming[n:]; len(s.trimming) == 0 {
		s.trimming = nil
	}
	return plan
}

// trim removes chunks that nothing is pending of. What it misses, the next opening of the store finds.
func (t *txn) trim(plan []trimmable) error {
	for _, p := range plan {
		if !t.alive(p.num) {
			continue
		}
		if err := t.pending.Trim(p.num, p.floor, trimStep); err != nil {
			return err
		}
	}
	return nil
}
