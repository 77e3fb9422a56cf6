package memstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
)

// Release implements [store.Queue]. The deliveries stand where they stood before they were claimed,
// and the next Claim finds them first.
func (s *Store) Release(ctx context.Context, leases ...store.Lease) error {
	now, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("memstore: release: %w", err)
	}
	defer s.end()
	for _, given := range leases {
		// A token that is worth nothing any more is no error: the lease may have run out.
		if l := s.lease(given); l != nil {
			s.queue.Release(l, now.UnixNano())
		}
	}
	return nil
}

// lease returns the lease that a token is for; nil if the token is worth nothing. It is for the
// delivery that it was given out for, and for no other.
func (s *state) lease(given store.Lease) *lease {
	l := s.queue.Present(given.Token)
	if l == nil || l.Data.event.id != given.EventID || l.Data.sub.ID != given.SubscriptionID {
		return nil
	}
	return l
}
