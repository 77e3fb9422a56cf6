package memstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
)

// Release implements [store.Queue].
func (s *Store) Release(ctx context.Context, leases ...store.Lease) error {
	now, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("memstore: release: %w", err)
	}
	defer s.mu.Unlock()
	for _, l := range leases {
		d := s.delivery(l.SubscriptionID, l.EventID)
		if d == nil || d.token == 0 || d.token != l.Token {
			continue
		}
		d.token = 0
		if s.leased(d) {
			s.unlease(d)
			d.sub.queueUp(d, now)
			s.settle(d.sub, now)
			s.wakeReader()
		}
	}
	return nil
}
