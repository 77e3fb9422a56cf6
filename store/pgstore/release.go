package pgstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
)

// Release implements [store.Queue]. It writes nothing: leases are in memory.
func (s *Store) Release(ctx context.Context, leases ...store.Lease) error {
	if err := s.begin(ctx); err != nil {
		return fmt.Errorf("pgstore: release: %w", err)
	}
	s.mu.Lock()
	defer s.unlock()
	now := s.clock.now()
	for _, given := range leases {
		if l := s.present(given.Token, given.SubscriptionID, given.EventID); l != nil {
			s.schedule.Release(l, now)
		}
	}
	return nil
}

// Pause implements [store.Queue].
func (s *Store) Pause(ctx context.Context, subscriptionID string, d time.Duration) error {
	err := store.ValidatePause(d)
	if err == nil {
		err = s.begin(ctx)
	}
	if err != nil {
		return fmt.Errorf("pgstore: pause: %w", err)
	}
	sub, err := s.subscription(ctx, subscriptionID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("pgstore: pause: %w", err)
	}
	s.mu.Lock()
	defer s.unlock()
	now := s.clock.now()
	until := int64(0)
	if d > 0 {
		until = schedule.Add(now, d)
	}
	s.schedule.Postpone(uint64(sub.num), until, now)
	return nil
}
