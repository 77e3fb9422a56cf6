package boltstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
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
	err = s.read(func(t *txn) error {
		if subscriptionID == "" {
			n, err := t.metaNumber(metaCount)
			stats.Subscriptions = int(n)
			return err
		}
		if num, err = t.number(subIDs, []byte(subscriptionID)); err != nil {
			return err
		}
		if num == 0 {
			return store.ErrNotFound
		}
		stats.Subscriptions = 1
		h := t.health(num)
		stats.Health, stats.FailingSince = h.record(), h.since()
		return nil
	})
	if err != nil {
		return stats, err
	}
	if num != 0 {
		w := windows{store: s, num: num, now: asTime(s.now())}
		if err := w.read(); err != nil {
			return stats, err
		}
		stats.Hour, stats.Day = w.hour.Window(), w.day.Window()
	}
	old := s.countPending(&stats, num)
	seq, err := s.oldest(ctx, old)
	if err == nil && seq != 0 {
		stats.OldestPending, err = s.enqueuedAt(seq)
	}
	return stats, err
}

// aged is a subscription that has something pending, with what memory knows of how old that is.
type aged struct {
	num  uint64
	seq  uint64 // the oldest that is fresh, or 0
	rows bool   // there are others
}

// countPending counts what is pending of one subscription, or, when num is 0, of all, and returns those that have
// something.
func (s *Store) countPending(stats *store.Stats, num uint64) (old []aged) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(s.now())
	queues := s.queues
	if num != 0 {
		queues = make(map[uint64]*queue, 1)
		if q := s.queues[num]; q != nil {
			queues[num] = q
		}
	}
	for n, q := range queues {
		stats.Pending += q.pending + q.fresh.live
		stats.InFlight += q.leased
		if a := (aged{num: n, rows: q.pending > 0}); a.rows || q.fresh.live > 0 {
			a.seq, _ = q.fresh.oldest()
			old = append(old, a)
		}
	}
	return old
}

// oldest returns the oldest pending event; 0 when there is none.
func (s *Store) oldest(ctx context.Context, old []aged) (seq uint64, err error) {
	slices.SortFunc(old, func(a, b aged) int { return cmp.Compare(a.num, b.num) })
	for _, a := range old {
		if a.seq != 0 && (seq == 0 || a.seq < seq) {
			seq = a.seq
		}
		if !a.rows {
			continue
		}
		if seq, err = s.oldestStored(ctx, a.num, seq); err != nil {
			return 0, err
		}
	}
	return seq, nil
}

// oldestStored returns the oldest pending event of a subscription that has a row or is in a chunk, or least when that is
// older, or when there is none. It reads the keys of all that is in the index.
func (s *Store) oldestStored(ctx context.Context, num, least uint64) (seq uint64, err error) {
	seq = least
	from := place{}
	for more := true; more; {
		if err := s.check(ctx); err != nil {
			return 0, err
		}
		err := s.read(func(t *txn) (err error) {
			if from == (place{}) {
				if seq, err = t.oldestChunked(num, seq); err != nil {
					return err
				}
			}
			from, seq, more, err = t.oldestIndexed(num, from, seq)
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return seq, nil
}

// oldestChunked is oldestStored for the chunks. It reads until it finds one that is pending.
func (t *txn) oldestChunked(num, least uint64) (uint64, error) {
	b, err := t.backlog(num)
	if err != nil {
		return 0, err
	}
	c := t.bucket(chunks).Cursor()
	start := key2(num, 0)
	for k, v := c.Seek(start[:]); inSubscription(k, num); k, v = c.Next() {
		seqs, err := decodeChunk(k, v)
		if err != nil {
			return 0, err
		}
		for _, seq := range seqs {
			key := key2(num, seq)
			switch {
			case least != 0 && seq >= least:
				return least, nil
			case canceled(b.marks, seq) == nil && t.get(deliveries, key[:]) == nil:
				return seq, nil
			}
		}
	}
	return least, nil
}

// oldestIndexed is oldestStored for a part of the index, from a place on.
func (t *txn) oldestIndexed(num uint64, from place, least uint64) (upTo place, seq uint64, more bool, err error) {
	b, err := t.backlog(num)
	if err != nil {
		return from, 0, false, err
	}
	c := t.bucket(index).Cursor()
	start := key3(num, uint64(from.due), from.seq+1)
	n := 0
	for k, _ := c.Seek(start[:]); inSubscription(k, num); k, _ = c.Next() {
		if n++; n > 1<<14 {
			return from, least, true, nil
		}
		from = place{int64(number(k, 1)), number(k, 2)}
		if least != 0 && from.seq >= least {
			continue
		}
		if len(b.marks) > 0 {
			if r, ok, err := t.find(num, from.seq, 0); err != nil || !ok || !r.live() {
				continue
			}
		}
		least = from.seq
	}
	return from, least, false, nil
}

// enqueuedAt returns when an event was enqueued; zero when it is gone by now.
func (s *Store) enqueuedAt(seq uint64) (at time.Time, err error) {
	err = s.read(func(t *txn) error {
		key := key1(seq)
		v := t.get(log, key[:])
		if v == nil {
			return nil
		}
		e, err := decodeEvent(key[:], v)
		at = asTime(e.enqueued)
		return err
	})
	return at, err
}
