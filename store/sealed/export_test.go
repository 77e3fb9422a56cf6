package sealed

// Opened returns of how many subscriptions the cache keeps plain values.
func (s *Store) Opened() int {
	s.opened.mu.Lock()
	defer s.opened.mu.Unlock()
	return len(s.opened.recent) + len(s.opened.previous)
}
