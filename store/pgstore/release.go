package pgstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
)

// Release implements [store.Queue].
func (s *Store) Release(ctx context.Context, leases ...store.Lease) error {
	err := s.begin(ctx)
	if err == nil && len(leases) > 0 {
		err = s.release(ctx, leases)
	}
	if err != nil {
		return fmt.Errorf("pgstore: release: %w", err)
	}
	return nil
}

func (s *Store) release(ctx context.Context, leases []store.Lease) error {
	subs, ids, tokens := make([]string, len(leases)), make([]string, len(leases)), make([]int64, len(leases))
	for i, l := range leases {
		subs[i], ids[i], tokens[i] = plain(l.SubscriptionID), plain(l.EventID), int64(l.Token)
	}
	err := s.write(ctx, claimSettings, func(b *batch) {
		b.Queue(s.sql.release, subs, ids, tokens)
	})
	if err == nil {
		s.waker.wake()
	}
	return err
}
