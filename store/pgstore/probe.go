package pgstore

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// A probe takes the newest first attempt, where all other claims take the oldest. So what an earlier
// delivery of its key holds back is not found by who was leased before: that key's deliveries must
// have rows, which say what is behind another.

// arrange gives rows to all first attempts of subscriptions that have keys, and puts behind the
// first of each key what comes after it. What is leased gets its row with its outcome. It writes
// once for each delivery: what has a row already, the next probe finds behind.
func (s *Store) arrange(ctx context.Context, nums []uint64) error {
	if len(nums) == 0 {
		return nil
	}
	s.keyed.Lock() // nothing of a key may end between
	defer s.keyed.Unlock()
	for _, num := range nums {
		if err := s.arrangeOne(ctx, num); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) arrangeOne(ctx context.Context, num uint64) error {
	waiting := s.rowlessOf(num)
	var keys keySet
	for len(waiting.seqs) > 0 {
		n := min(len(waiting.seqs), spillStep)
		step := deliveryNames{waiting.subs[:n], waiting.seqs[:n]}
		waiting.subs, waiting.seqs = waiting.subs[n:], waiting.seqs[n:]
		last := len(waiting.seqs) == 0
		if err := s.arrangeSome(ctx, &step, &keys, last); err != nil {
			return err
		}
	}
	return nil
}

// arrangeSome gives rows to some, and adds their keys. With the last it holds back what comes after
// the first of each key.
func (s *Store) arrangeSome(ctx context.Context, step *deliveryNames, keys *keySet, last bool) error {
	var given, behind []moved
	err := s.write(ctx, finishSettings, func(b *batch) {
		b.Queue(s.sql.LockShared, s.lockOf(s.owner.id))
		b.Queue(s.sql.SpillKeyed, step.subs, step.seqs).Query(func(rows pgx.Rows) error {
			var sub, seq int64
			var key string
			_, err := pgx.ForEachRow(rows, []any{&sub, &seq, &key}, func() error {
				given = append(given, moved{num: uint64(sub), seq: uint64(seq), pending: true})
				keys.add(sub, key)
				return nil
			})
			return err
		})
	})
	if err == nil && last && len(keys.subs) > 0 {
		err = s.write(ctx, finishSettings, func(b *batch) {
			b.Queue(s.sql.LockShared, s.lockOf(s.owner.id))
			b.Queue(s.sql.HoldBack, keys.subs, keys.keys).Query(readBehind(&behind))
		})
	}
	s.applyAll(given)
	s.applyAll(behind)
	return err
}

// readBehind reads what HoldBack returns.
func readBehind(into *[]moved) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var sub, seq, due int64
		_, err := pgx.ForEachRow(rows, []any{&sub, &seq, &due}, func() error {
			*into = append(*into, moved{num: uint64(sub), seq: uint64(seq), pending: true, behind: true, due: due})
			return nil
		})
		return err
	}
}

// rowlessOf returns what is pending of a subscription without a row, and not leased.
func (s *Store) rowlessOf(num uint64) (names deliveryNames) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.schedule.Sub(num)
	if q == nil {
		return names
	}
	for _, seq := range q.ImplicitUpTo(s.lastSeq) {
		if !q.Busy(seq) {
			names.subs, names.seqs = append(names.subs, int64(num)), append(names.seqs, int64(seq))
		}
	}
	return names
}
