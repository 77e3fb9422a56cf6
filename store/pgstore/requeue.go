package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

// Requeue implements [store.History].
//
// Of what another replica has leased, what waits for a retry may be made due and counted: its
// outcome counts all the same.
func (s *Store) Requeue(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
	result, err := s.requeue(ctx, q)
	if err != nil {
		return store.RequeueResult{}, fmt.Errorf("pgstore: requeue: %w", err)
	}
	return result, nil
}

func (s *Store) requeue(
	ctx context.Context, q store.DeliveryQuery,
) (result store.RequeueResult, err error) {
	if len(q.States) == 0 {
		q.States = []store.State{store.Delivered, store.Dead, store.Canceled}
	}
	q.Count = false
	named := q.EventID != ""
	if q.Cursor == "" { // it goes from the oldest on
		q.Cursor = page.Cursor{At: page.End(), Back: true}.String()
	}
	l, err := s.list(ctx, &q, false)
	if err != nil {
		return result, err
	}
	positions, next := l.Positions(), l.Page(false).Previous
	result.Next = next
	if len(positions) == 0 {
		return result, nil
	}
	seqs, subs := make([]int64, len(positions)), make([]int64, len(positions))
	for i, p := range positions {
		seqs[i], subs[i] = int64(p.Seq), int64(p.Num)
	}
	for range tries {
		leasedSeqs, leasedSubs := s.leasedOf(seqs, subs)
		now := s.clock.now() / int64(time.Microsecond)
		err = s.write(ctx, indexSettings, func(b *batch) {
			b.Queue(s.sql.Requeue, seqs, subs, leasedSeqs, leasedSubs, s.table("events"), now, named).
				QueryRow(func(row pgx.Row) error { return row.Scan(&result.Requeued, &result.Held) })
		})
		if err == nil || !transient(err) {
			break
		}
	}
	if err == nil {
		s.noticed(ctx)
	}
	return result, err
}

// Recovered implements [store.History].
func (s *Store) Recovered(ctx context.Context, subscriptionID string) error {
	err := s.begin(ctx)
	if err == nil {
		err = s.recovered(ctx, plain(subscriptionID))
	}
	if err != nil {
		return fmt.Errorf("pgstore: recovered: %w", err)
	}
	return nil
}

func (s *Store) recovered(ctx context.Context, subscriptionID string) (err error) {
	changed := false
	for range tries {
		var h health
		var sub int64
		err = s.writeAfter(ctx, indexSettings, func(b *batch) {
			b.Queue(s.sql.HealthForUpdate, subscriptionID).Query(readHealth(&h, &sub))
		}, func(b *batch) {
			before := h.record()
			after := before.Recovered()
			if changed = after != before; changed {
				var rows healthRows
				rows.add(sub, &after)
				b.Queue(s.sql.SetHealth, rows.args()...)
				b.Queue(s.sql.Notice, []int64{sub}, []int64{0}, int64(0))
			}
		})
		if err == nil || !transient(err) {
			break
		}
	}
	if err == nil && changed {
		s.noticed(ctx)
	}
	return err
}

// ProbeNow implements [store.History].
func (s *Store) ProbeNow(ctx context.Context, subscriptionIDs ...string) error {
	err := s.begin(ctx)
	if err == nil && len(subscriptionIDs) > 0 {
		err = s.probeNow(ctx, subscriptionIDs)
	}
	if err != nil {
		return fmt.Errorf("pgstore: probe now: %w", err)
	}
	return nil
}

func (s *Store) probeNow(ctx context.Context, subscriptionIDs []string) (err error) {
	ids := make([]string, len(subscriptionIDs))
	for i, id := range subscriptionIDs {
		ids[i] = plain(id)
	}
	var ended int
	for range tries {
		err = s.write(ctx, indexSettings, func(b *batch) {
			b.Queue(s.sql.ProbeNow, ids).QueryRow(func(row pgx.Row) error { return row.Scan(&ended) })
		})
		if err == nil || !transient(err) {
			break
		}
	}
	if err == nil && ended > 0 {
		s.noticed(ctx)
	}
	return err
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
