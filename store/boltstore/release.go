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
	defer s.mu.Unlock()
	for _, given := range leases {
		l := s.present(given.Token, given.SubscriptionID, given.EventID)
		if l == nil {
			continue
		}
		s.endLease(l)
		if !l.expired { // or else it is back already
			l.queue.putBack(l)
		}
		s.settle(l.queue, now)
		s.wakeReader()
	}
	return nil
}
