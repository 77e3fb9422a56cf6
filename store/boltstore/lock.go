package boltstore

// unlock gives the mutex back. If something may have become claimable, it fills the slot of Ready.
func (s *Store) unlock() {
	wake := s.memory.Schedule.TakeWake()
	s.mu.Unlock()
	if wake {
		s.wakeReader()
	}
}

// locker is Store.mu for those who run effects under it.
type locker struct{ s *Store }

func (l locker) Lock() { l.s.mu.Lock() }

func (l locker) Unlock() { l.s.unlock() }

// wakeReader fills the slot of Ready.
func (s *Store) wakeReader() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}
