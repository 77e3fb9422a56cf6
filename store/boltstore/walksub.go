package boltstore

import "github.com/outhook/outhook/store/boltstore/internal/scan"

// sliceFresh gets what memory knows. It must come before the transaction: what is not fresh any more
// when that begins, it finds in the file.
func (s *Store) sliceFresh(sl *scan.DeliveryReader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl.Implicit = nil
	if q := s.memory.Schedule.Sub(sl.Num); q != nil {
		if first, ok := sl.Edge(); ok && !sl.From.Back {
			sl.Implicit = q.ImplicitDown(first, scan.SliceSize)
		} else if ok {
			sl.Implicit = q.ImplicitUp(first, scan.SliceSize)
		}
	}
	sl.MoreImplicit = len(sl.Implicit) == scan.SliceSize
}
