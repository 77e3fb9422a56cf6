package memstore

import (
	"context"
	"time"

	"github.com/outhook/outhook/events"
)

// NewWithWall is New with another system's clock.
func NewWithWall(wall func() time.Time) *Store {
	s := New()
	s.wall = wall
	return s
}

// Looked returns how many deliveries Prune has looked at.
func (s *Store) Looked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended.looked
}

// Events returns how many events are stored.
func (s *Store) Events() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(len(s.log.byName), len(s.log.events))
}

// TryEnqueue is Enqueue without a filter that was asked before.
func (s *Store) TryEnqueue(ctx context.Context, evs ...events.Event) error {
	built, err := build(evs)
	if err != nil {
		return err
	}
	return s.tryEnqueue(ctx, built)
}
