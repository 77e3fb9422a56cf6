package oauth2auth

import "time"

// SetClock has a Source go by another clock. Call it before the first Authenticate.
func (s *Source) SetClock(now func() time.Time) { s.now = now }

// Kept is how many tokens it keeps.
func (s *Source) Kept() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.tokens.kept)
}
