package boltstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// Stats implements [store.History].
func (s *Store) Stats(ctx context.Context, subscriptionID string) (store.Stats, error) {
	stats, err := s.stats(ctx, subscriptionID)
	if err != nil {
		return store.Stats{}, fmt.Errorf("boltstore: stats: %w", err)
	}
	return stats, nil
}

func (s *Store) stats(ctx context.Context, subscriptionID string) (stats store.Stats, err error) {
	if err := s.resumeErasures(ctx); err != nil { // until then their deliveries are counted
		return stats, err
	}
	num := uint64(0)
	err = s.read(ctx, func(t *txn.Tx) error {
		if subscriptionID == "" {
			n, err := t.MetaNumber(txn.MetaCount)
			stats.Subscriptions = int(n)
			return err
		}
		if num, err = t.Subs.Number(subscriptionID); err != nil {
			return err
		}
		if num == 0 {
			return store.ErrNotFound
		}
		stats.Subscriptions = 1
		h := t.Subs.Health(num)
		stats.Health, stats.FailingSince = h, h.FailingSince()
		return nil
	})
	if err != nil {
		return stats, err
	}
	if num != 0 {
		w, err := s.window(ctx, num, record.AsTime(s.now()))
		if err != nil {
			return stats, err
		}
		stats.Hour, stats.Day = w.Hour(), w.Day()
	}
	s.mu.Lock()
	seq, unknown := s.memory.CountPending(&stats, num)
	s.unlock()
	seq, err = s.oldest(ctx, seq, unknown)
	if err == nil && seq != 0 {
		stats.OldestPending, err = s.enqueuedAt(ctx, seq)
	}
	return stats, err
}

// oldest returns the oldest pending event, given the oldest that memory knows; 0 when there is
// none. It reads in the order of the file, as much in one transaction as the time of a listing's
// allows, and lets memory know.
func (s *Store) oldest(
	ctx context.Context, known uint64, ask []memory.Unknown,
) (seq uint64, err error) {
	slices.SortFunc(ask, func(a, b memory.Unknown) int { return cmp.Compare(a.Num, b.Num) })
	o := scan.OldestSearch{Nums: make([]uint64, len(ask)), Found: make([]uint64, len(ask))}
	for i, u := range ask {
		o.Nums[i] = u.Num
	}
	for o.Next < len(ask) {
		if err := s.check(ctx); err != nil {
			return 0, err
		}
		if err := s.read(ctx, o.Read); err != nil {
			return 0, err
		}
	}
	seq = known
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, u := range ask {
		seq = memory.Older(seq, o.Found[i])
		u.Learn(o.Found[i])
	}
	return seq, nil
}

// enqueuedAt returns when an event was enqueued; zero when it is gone by now.
func (s *Store) enqueuedAt(ctx context.Context, seq uint64) (at time.Time, err error) {
	err = s.read(ctx, func(t *txn.Tx) error {
		e, err := t.Events.Get(seq)
		if e != nil {
			at = record.AsTime(e.EnqueuedAt)
		}
		return err
	})
	return at, err
}
