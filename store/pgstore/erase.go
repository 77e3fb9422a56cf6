package pgstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

// What one Erase looks at: it takes no longer whatever there is of other tenants, and however many
// want an event.
const (
	eraseLook       = 10_000 // events
	eraseDeliveries = 5_000  // of the events that it erases, unless it is one alone
)

// Erase implements [store.History].
//
// It goes through the events in their order, and a step may change fewer than it may, or none. What
// was removed is returned no more as soon as Erase returns; its bytes are overwritten some time
// after VACUUM has been to the tables, which autovacuum sees to, and stay in the write-ahead log
// and in backups for as long as those are kept.
func (s *Store) Erase(ctx context.Context, q store.EraseQuery) (n int, next string, err error) {
	n, next, err = s.erase(ctx, q)
	if err != nil {
		return 0, "", fmt.Errorf("pgstore: erase: %w", err)
	}
	return n, next, nil
}

func (s *Store) erase(ctx context.Context, q store.EraseQuery) (n int, next string, err error) {
	if err := q.Validate(); err != nil {
		return 0, "", err
	}
	if err := s.begin(ctx); err != nil {
		return 0, "", err
	}
	seqs, next, err := s.erasable(ctx, q)
	if err != nil || len(seqs) == 0 {
		return 0, next, err
	}
	for range tries {
		err = s.write(ctx, indexSettings, func(b *batch) {
			b.Queue(s.sql.Erase, seqs).QueryRow(func(row pgx.Row) error { return row.Scan(&n) })
		})
		if err == nil || !transient(err) {
			break
		}
	}
	if err != nil || n == 0 {
		return 0, next, err
	}
	s.bar(seqs)
	defer s.unbar(seqs)
	for _, seq := range seqs {
		if err := s.endErased(ctx, seq); err != nil {
			return n, next, err
		}
	}
	return n, next, nil
}

// eraseSlice is how many deliveries of an erased event are told so in one transaction.
const eraseSlice = 2000

// endErased tells the deliveries of an erased event that they are over, in short transactions. What
// it does not come to, Prune does.
func (s *Store) endErased(ctx context.Context, seq int64) error {
	for {
		if count, err := s.eraseStep(ctx, seq); err != nil || count == 0 {
			return err
		}
	}
}

func (s *Store) eraseStep(ctx context.Context, seq int64) (count int, err error) {
	for range tries {
		err = s.write(ctx, indexSettings, func(b *batch) {
			b.Queue(s.sql.EraseStep, seq, eraseSlice).QueryRow(func(row pgx.Row) error { return row.Scan(&count) })
		})
		if err == nil {
			s.noticed(ctx)
			return count, nil
		}
		if !transient(err) {
			break
		}
	}
	return 0, err
}

// bar keeps deliveries of events from being claimed here, before it is known of each that it is
// over.
func (s *Store) bar(seqs []int64) {
	s.mu.Lock()
	defer s.unlock()
	for _, seq := range seqs {
		s.schedule.Bar(uint64(seq), s.clock.now())
	}
}

func (s *Store) unbar(seqs []int64) {
	s.mu.Lock()
	defer s.unlock()
	for _, seq := range seqs {
		s.schedule.Unbar(uint64(seq))
	}
}

// erasable returns the events that the step is to erase, and the cursor for the next step.
func (s *Store) erasable(ctx context.Context, q store.EraseQuery) (seqs []int64, next string, err error) {
	if q.EventID != "" {
		var seq int64
		err := s.readRow(ctx, s.sql.ErasableOne, plain(q.EventID))(&seq)
		if errors.Is(err, pgx.ErrNoRows) {
			err = store.ErrNotFound
		}
		return []int64{seq}, "", err
	}
	from, err := page.Parse(q.Cursor)
	if err != nil {
		return nil, "", err
	}
	var following *int64
	err = s.read(ctx, indexSettings, func(b *batch) {
		b.Queue(s.sql.Erasable,
			plain(q.Tenant), int64(from.At.Num), page.Limit(q.Limit), eraseLook, eraseDeliveries).
			QueryRow(func(row pgx.Row) error { return row.Scan(&seqs, &following) })
	})
	if following != nil {
		next = page.Cursor{At: page.Position{Num: uint64(*following)}}.String()
	}
	return seqs, next, err
}
