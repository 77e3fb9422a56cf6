package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// Requeue implements [store.History].
//
// Of what another replica has leased, what waits for a retry may be made due and counted: its
// outcome counts all the same.
func (s *Store) Requeue(ctx context.Context, q store.DeliveryQuery) (n int, next string, err error) {
	n, next, err = s.requeue(ctx, q)
	if err != nil {
		return 0, "", fmt.Errorf("pgstore: requeue: %w", err)
	}
	return n, next, nil
}

func (s *Store) requeue(ctx context.Context, q store.DeliveryQuery) (n int, next string, err error) {
	if len(q.States) == 0 {
		q.States = []store.State{store.Delivered, store.Dead, store.Canceled}
	}
	q.Count = false
	l, err := s.list(ctx, &q, false)
	if err != nil {
		return 0, "", err
	}
	positions, next := l.Positions(), l.Next(l.other)
	if len(positions) == 0 {
		return 0, next, nil
	}
	seqs, subs := make([]int64, len(positions)), make([]int64, len(positions))
	for i, p := range positions {
		seqs[i], subs[i] = int64(p.Seq), int64(p.Num)
	}
	for range tries {
		leasedSeqs, leasedSubs := s.leasedOf(seqs, subs)
		err = s.write(ctx, indexSettings, func(b *batch) {
			b.Queue(s.sql.Requeue, seqs, subs, leasedSeqs, leasedSubs, s.table("events"), s.clock.now()/int64(time.Microsecond)).
				QueryRow(func(row pgx.Row) error { return row.Scan(&n) })
		})
		if err == nil || !transient(err) {
			break
		}
	}
	if err == nil {
		s.noticed(ctx)
	}
	return n, next, err
}

// leasedOf returns which of some deliveries are leased here.
func (s *Store) leasedOf(seqs, subs []int64) (leasedSeqs, leasedSubs []int64) {
	s.mu.Lock()
	defer s.unlock()
	s.schedule.Expire(s.clock.now())
	leasedSeqs, leasedSubs = []int64{}, []int64{}
	for i := range seqs {
		if q := s.schedule.Sub(uint64(subs[i])); q != nil && q.Busy(uint64(seqs[i])) {
			leasedSeqs, leasedSubs = append(leasedSeqs, seqs[i]), append(leasedSubs, subs[i])
		}
	}
	return leasedSeqs, leasedSubs
}
