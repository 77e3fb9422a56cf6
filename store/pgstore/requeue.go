package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// Requeue implements [store.History].
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
		err = s.write(ctx, indexSettings, func(b *batch) {
			b.Queue(s.sql.clerk)
			b.Queue(s.sql.requeue, seqs, subs).QueryRow(func(row pgx.Row) error { return row.Scan(&n) })
		})
		if err == nil || !transient(err) {
			break
		}
	}
	if err == nil {
		s.waker.wake()
	}
	return n, next, err
}
