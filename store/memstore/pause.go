package memstore

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
)

// Pause implements [store.Queue]. A pause ends with its subscription.
func (s *Store) Pause(ctx context.Context, subscriptionID string, d time.Duration) error {
	if err := store.ValidatePause(d); err != nil {
		return fmt.Errorf("memstore: pause: %w", err)
	}
	now, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("memstore: pause: %w", err)
	}
	defer s.end()
	sub := s.subs[subscriptionID]
	if sub == nil {
		return nil
	}
	until := int64(0)
	if d > 0 {
		until = schedule.Add(now.UnixNano(), d)
	}
	s.schedule.Postpone(sub.num, until, now.UnixNano())
	return nil
}
