package pgstore

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// What waits without a row is in memory, eight bytes each, and is read by who takes a share over.
// So what stays behind gets rows: of these memory has a window.
const (
	// maxRowless is how many deliveries of a replica may be pending without a row, and maxLag how
	// many events the oldest of them may be behind the newest.
	maxRowless = 100_000
	maxLag     = 100_000

	spillStep  = 5000 // in one transaction
	spillSteps = 50   // at a time
)

// spill gives rows to the oldest first attempts, if there are too many without, or too old ones.
func (s *Store) spill(ctx context.Context) error {
	for range spillSteps {
		oldest := s.oldestRowless()
		if len(oldest.subs) == 0 {
			return nil
		}
		if err := s.spillSome(ctx, &oldest); err != nil {
			return err
		}
	}
	return nil
}

// deliveryNames are numbers of subscriptions and events.
type deliveryNames struct{ subs, seqs []int64 }

// oldestRowless returns some of those that should get a row. Those that are leased are about to get
// one.
func (s *Store) oldestRowless() (oldest deliveryNames) {
	s.mu.Lock()
	defer s.mu.Unlock()
	total, lowest := 0, s.lastSeq
	s.schedule.Subs(func(q *queue) {
		n, first := q.ImplicitPending()
		if total += n; n > 0 {
			lowest = min(lowest, first)
		}
	})
	cut := uint64(0)
	if lag := s.lastSeq - lowest; total > s.maxRowless {
		cut = lowest + lag/2
	} else if lag > s.maxLag {
		cut = s.lastSeq - s.maxLag
	}
	s.schedule.Subs(func(q *queue) {
		if len(oldest.subs) >= spillStep {
			return
		}
		for _, seq := range q.ImplicitUpTo(cut) {
			if !q.Busy(seq) {
				oldest.subs, oldest.seqs = append(oldest.subs, int64(q.Num)), append(oldest.seqs, int64(seq))
			}
		}
	})
	n := min(len(oldest.subs), spillStep)
	return deliveryNames{oldest.subs[:n], oldest.seqs[:n]}
}

func (s *Store) spillSome(ctx context.Context, oldest *deliveryNames) error {
	var given []moved
	err := s.write(ctx, finishSettings, func(b *batch) {
		b.Queue(s.sql.LockShared, s.lockOf(s.owner.id))
		b.Queue(s.sql.Spill, oldest.subs, oldest.seqs).Query(func(rows pgx.Rows) error {
			var sub, seq int64
			_, err := pgx.ForEachRow(rows, []any{&sub, &seq}, func() error {
				given = append(given, moved{num: uint64(sub), seq: uint64(seq), pending: true})
				return nil
			})
			return err
		})
	})
	if err == nil {
		s.applyAll(given)
	}
	return err
}
