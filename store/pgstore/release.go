package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
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

// pause begins and ends pauses of subscriptions. Those of other replicas are theirs to begin.
func (s *Store) pause(ctx context.Context, pauses []store.Pause) error {
	if len(pauses) == 0 {
		return nil
	}
	ids := make([]string, len(pauses))
	for i := range pauses {
		ids[i] = plain(pauses[i].SubscriptionID)
	}
	nums := make(map[string]uint64, len(pauses))
	err := s.readRows(ctx, func(rows pgx.Rows) error {
		var id string
		var num int64
		_, err := pgx.ForEachRow(rows, []any{&id, &num}, func() error { nums[id] = uint64(num); return nil })
		return err
	}, s.sql.Nums, ids)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.unlock()
	now := s.clock.now()
	for i := range pauses {
		if num, ok := nums[ids[i]]; ok {
			s.schedule.Postpone(num, pauses[i].For, now)
		}
	}
	return nil
}
