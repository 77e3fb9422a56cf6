package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
)

// Release implements [store.Queue]. It needs no commit: leases are not in the file.
func (s *Store) Release(ctx context.Context, leases ...store.Lease) error {
	if err := s.check(ctx); err != nil {
		return fmt.Errorf("boltstore: release: %w", err)
	}
	now := s.now()
	s.mu.Lock()
	defer s.unlock()
	for _, given := range leases {
		if l := s.memory.Present(given.Token, given.SubscriptionID, given.EventID); l != nil {
			s.memory.Schedule.Release(l, now)
		}
	}
	return nil
}
