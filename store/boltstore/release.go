package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
)

// Release implements [store.Queue]. It needs no commit: leases are not in the file.
func (s *Store) Release(ctx context.Context, leases ...store.Lease) error {
	if err := s.db.check(ctx); err != nil {
		return fmt.Errorf("boltstore: release: %w", err)
	}
	now := s.db.now()
	s.state.Lock()
	defer s.state.Unlock()
	for _, given := range leases {
		if l := s.state.memory.Present(given.Token, given.SubscriptionID, given.EventID); l != nil {
			s.state.memory.Schedule.Release(l, now)
		}
	}
	return nil
}
