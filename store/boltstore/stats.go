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
	err = s.read(ctx, func(t *txn) error {
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
		stats.Health, stats.FailingSince = h.Health, h.FailingSince(asTime(h.failedAt))
		return nil
	})
	if err != nil {
		return stats, err
	}
	if num != 0 {
		w, err := s.window(ctx, num, asTime(s.now()))
		if err != nil {
			return stats, err
		}
		stats.Hour, stats.Day = w.Hour(), w.Day()
	}
	seq, unknown := s.countPending(&stats, num)
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
func (s *Store) countPending(stats *store.Stats, num uint64) (oldest uint64, ask []unknown) {
	s.mu.Lock()
	defer s.unlock()
	s.schedule.Expire(s.now())
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
		s.schedule.Subs(see)
	} else if q := s.schedule.Sub(num); q != nil {
		see(q)
	}
	return oldest, ask
}

// oldest returns the oldest pending event, given the oldest that memory knows; 0 when there is none. It reads in the
// order of the file, as much in one transaction as the time of a listing's allows, and lets memory know.
func (s *Store) oldest(ctx context.Context, known uint64, ask []unknown) (seq uint64, err error) {
	slices.SortFunc(ask, func(a, b unknown) int { return cmp.Compare(a.num, b.num) })
	o := oldestSearch{ask: ask, found: make([]uint64, len(ask))}
	for o.next < len(ask) {
		if err := s.check(ctx); err != nil {
			return 0, err
		}
		if err := s.read(ctx, o.read); err != nil {
			return 0, err
		}
	}
	seq = known
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, u := range ask {
		seq = older(seq, o.found[i])
		if u.queue.Data.stored.turn == u.turn { // the file has nothing that memory does not take in after this
			u.queue.Data.stored.oldest = o.found[i]
		}
	}
	return seq, nil
}

// oldestSearch looks for the oldest pending delivery of each of some subscriptions.
type oldestSearch struct {
	ask   []unknown
	found []uint64 // the oldest of each, 0 when there is none
	next  int      // which of them is looked at
	from  place    // how far it has been, in the index
}

// read looks on, for a while.
func (o *oldestSearch) read(t *txn) error {
	for first := true; o.next < len(o.ask); first = false {
		if !first && t.store.now()-t.now > sliceTime {
			return nil
		}
		num, found := o.ask[o.next].num, &o.found[o.next]
		if o.from == (place{}) {
			seq, err := t.oldestChunked(num, 0)
			if err != nil {
				return err
			}
			*found = seq
		}
		from, seq, more, err := t.oldestIndexed(num, o.from, *found)
		if err != nil {
			return err
		}
		if *found = seq; more {
			o.from = from
			return nil
		}
		o.next, o.from = o.next+1, place{}
	}
	return nil
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
	start := key3(num, uint64(from.Due), from.Seq+1)
	n := 0
	for k, _ := c.Seek(start[:]); inSubscription(k, num); k, _ = c.Next() {
		if n++; n > 1<<14 {
			return from, least, true, nil
		}
		from = place{Due: int64(number(k, 1)), Seq: number(k, 2)}
		if least != 0 && from.Seq >= least {
			continue
		}
		if len(b.marks) > 0 {
			if r, ok, err := t.find(num, from.Seq, 0); err != nil || !ok || !r.live() {
				continue
			}
		}
		least = from.Seq
	}
	return from, least, false, nil
}

// enqueuedAt returns when an event was enqueued; zero when it is gone by now.
func (s *Store) enqueuedAt(ctx context.Context, seq uint64) (at time.Time, err error) {
	err = s.read(ctx, func(t *txn) error {
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
