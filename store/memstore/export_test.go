package memstore

import "time"

// NewWithWall is New with another system's clock.
func NewWithWall(wall func() time.Time) *Store {
	s := New()
	s.wall = wall
	return s
}
