package boltstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
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
		stats.Health, stats.FailingSince = h.Health, h.FailingSince(record.AsTime(h.FailedAt))
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
	seq, unknown := s.memory.countPending(&stats, num)
	s.unlock()
	seq, err = s.oldest(ctx, seq, unknown)
	if err == nil && seq != 0 {
		stats.OldestPending, err = s.enqueuedAt(ctx, seq)
	}
	return stats, err
}

// stored is what memory knows of the oldest pending delivery of a subscription that has a row or is in
// a chunk. Finding it takes reading; so it is kept until that delivery ends.
type stored struct {
	oldest uint64 // its event; 0 when it is not known
	turn   int    // counts what may have changed it
}

// moved takes in that a delivery has become pending, or has ended.
func (o *stored) moved(seq uint64, pending bool) {
	o.turn++
	switch {
	case pending && o.oldest != 0:
		o.oldest = min(o.oldest, seq)
	case !pending && seq == o.oldest:
		o.oldest = 0
	}
}

// forget takes in that much has changed.
func (o *stored) forget() { o.oldest, o.turn = 0, o.turn+1 }

// older returns the older of two events, of which 0 is none.
func older(a, b uint64) uint64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// unknown is a subscription whose oldest pending delivery must be read from the file.
type unknown struct {
	queue *queue
	num   uint64
	turn  int
}

// countPending counts what is pending of one subscription, or, when num is 0, of all. It returns the oldest event that
// memory knows to be pending, 0 when there is none, and of whom there may be older ones.
func (m *memory) countPending(stats *store.Stats, num uint64) (oldest uint64, ask []unknown) {
	m.schedule.Expire(m.now())
	see := func(q *queue) {
		implicit, first := q.ImplicitPending()
		stats.Pending += q.Data.pending + implicit
		stats.InFlight += q.Leased()
		oldest = older(oldest, first)
		switch known := &q.Data.stored; {
		case q.Data.pending == 0:
		case known.oldest != 0:
			oldest = older(oldest, known.oldest)
		default:
			ask = append(ask, unknown{q, q.Num, known.turn})
		}
	}
	if num == 0 {
		m.schedule.Subs(see)
	} else if q := m.schedule.Sub(num); q != nil {
		see(q)
	}
	return oldest, ask
}

// oldest returns the oldest pending event, given the oldest that memory knows; 0 when there is none. It reads in the
// order of the file, as much in one transaction as the time of a listing's allows, and lets memory know.
func (s *Store) oldest(ctx context.Context, known uint64, ask []unknown) (seq uint64, err error) {
	slices.SortFunc(ask, func(a, b unknown) int { return cmp.Compare(a.num, b.num) })
	o := txn.OldestSearch{Nums: make([]uint64, len(ask)), Found: make([]uint64, len(ask))}
	for i, u := range ask {
		o.Nums[i] = u.num
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
		seq = older(seq, o.Found[i])
		if u.queue.Data.stored.turn == u.turn { // the file has nothing that memory does not take in after this
			u.queue.Data.stored.oldest = o.Found[i]
		}
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
