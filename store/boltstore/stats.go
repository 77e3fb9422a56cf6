package boltstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/database"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/unwanted"
)

// Stats implements [store.History].
func (s *Store) Stats(ctx context.Context, subscriptionID string) (store.Stats, error) {
	err := s.erasures.ResumeAll(ctx) // until then, what they have canceled is counted as pending
	var stats store.Stats
	if err == nil {
		stats, err = s.statistics.of(ctx, subscriptionID)
	}
	if err != nil {
		return store.Stats{}, fmt.Errorf("boltstore: stats: %w", err)
	}
	return stats, nil
}

// statistics adds up what memory and the file know of one subscription or of all.
type statistics struct {
	db       *database.DB
	unwanted unwanted.Counter
}

// of returns the statistics of a subscription, or of all if the ID is empty. It returns
// [store.ErrNotFound] for an ID that is unknown. Its parts are of several moments: the file, the
// counts and memory are asked one after the other.
func (x *statistics) of(
	ctx context.Context, subscriptionID string,
) (stats store.Stats, err error) {
	num := uint64(0)
	err = x.db.Read(ctx, func(t *txn.Tx) error {
		if subscriptionID == "" {
			// A count that is kept, since reading all subscriptions would take long.
			n, err := t.MetaNumber(buckets.MetaCount)
			stats.Subscriptions, stats.Unwanted = int(n), x.unwanted.Counts()
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
		stats.Health, stats.FailingSince = *h, h.FailingSince()
		return nil
	})
	if err != nil {
		return stats, err
	}
	// The sum of all subscriptions has no counts of attempts: the contract asks for none.
	if num != 0 {
		w, err := x.db.Window(ctx, num, record.AsTime(x.db.Now()))
		if err != nil {
			return stats, err
		}
		stats.Hour, stats.Day = w.Hour(), w.Day()
	}
	x.db.Lock()
	seq, unknown := x.db.Memory.CountPending(&stats, num)
	x.db.Unlock()
	seq, err = x.oldest(ctx, seq, unknown)
	if err == nil && seq != 0 {
		stats.OldestPending, err = x.enqueuedAt(ctx, seq)
	}
	return stats, err
}

// oldest returns the oldest pending event, given the oldest that memory knows; 0 if there is
// none. It reads in the order of the file, as much in one transaction as the time of a listing's
// allows, and lets memory know.
func (x *statistics) oldest(
	ctx context.Context, known uint64, ask []memory.Unknown,
) (seq uint64, err error) {
	// Neighbours in the file share pages.
	slices.SortFunc(ask, func(a, b memory.Unknown) int { return cmp.Compare(a.Num, b.Num) })
	o := scan.OldestSearch{Nums: make([]uint64, len(ask)), Found: make([]uint64, len(ask))}
	for i, u := range ask {
		o.Nums[i] = u.Num
	}
	// Each pass is one short transaction.
	for o.Next < len(ask) {
		if err := x.db.Check(ctx); err != nil {
			return 0, err
		}
		if err := x.db.ReadStep(ctx, o.Read); err != nil {
			return 0, err
		}
	}
	seq = known
	x.db.Lock()
	defer x.db.Unlock()
	for i, u := range ask {
		seq = memory.Older(seq, o.Found[i])
		// Unless something has changed while it was read; then it is read again the next time.
		u.Learn(o.Found[i])
	}
	return seq, nil
}

// enqueuedAt returns when an event was enqueued; zero if it is gone by now. It may have been pruned
// since its number was found.
func (x *statistics) enqueuedAt(ctx context.Context, seq uint64) (at time.Time, err error) {
	err = x.db.Read(ctx, func(t *txn.Tx) error {
		e, err := t.Events.Get(seq)
		if e != nil {
			at = record.AsTime(e.EnqueuedAt)
		}
		return err
	})
	return at, err
}
