package boltstore

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/schedule"
)

// Pause implements [store.Queue].
func (s *Store) Pause(ctx context.Context, subscriptionID string, d time.Duration) error {
	err := store.ValidatePause(d)
	if err == nil {
		err = s.check(ctx)
	}
	num := uint64(0)
	if err == nil {
		err = s.read(ctx, func(t *txn.Tx) (err error) {
			num, err = t.Subs.Number(subscriptionID)
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("boltstore: pause: %w", err)
	}
	if num != 0 {
		s.pause(num, d)
	}
	return nil
}

func (s *Store) pause(num uint64, d time.Duration) {
	now := s.now()
	until := int64(0)
	if d > 0 {
		until = schedule.Add(now, d)
	}
	s.mu.Lock()
	defer s.unlock()
	s.memory.Schedule.Postpone(num, until, now)
}
