package memstore

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
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
	defer s.mu.Unlock()
	sub := s.subs[subscriptionID]
	if sub == nil {
		return nil
	}
	before := sub.barredUntil()
	sub.pausedUntil = now.Add(max(d, 0))
	s.settle(sub, now)
	if sub.barredUntil().Before(before) {
		s.wakeReader()
	}
	return nil
}
