package boltstore

// sliceFresh gets what memory knows. It must come before the transaction: what is not fresh any more
// when that begins, it finds in the file.
func (s *Store) sliceFresh(sl *slicer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl.fresh = nil
	if q := s.schedule.Sub(sl.num); q != nil {
		if first, ok := sl.edge(); ok && !sl.from.Back {
			sl.fresh = q.ImplicitDown(first, sliceSize)
		} else if ok {
			sl.fresh = q.ImplicitUp(first, sliceSize)
		}
	}
	sl.freshMore = len(sl.fresh) == sliceSize
}
