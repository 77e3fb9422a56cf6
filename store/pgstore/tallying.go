package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

const (
	tallyTimeout = 5 * time.Second
)

// writeTallies writes what was counted, some time after there is anything, until the store is closed. Close writes the rest.
func (s *Store) writeTallies() {
	timer := time.NewTimer(0)
	<-timer.C
	for {
		select {
		case <-s.tallies.dirty:
			timer.Reset(s.tallies.every)
		case <-s.life.Done():
			return
		}
		select {
		case <-timer.C:
		case <-s.tallies.full:
		case <-s.life.Done():
			return
		}
		s.flushTallies()
	}
}

// flushTallies writes what was counted since the last time.
func (s *Store) flushTallies() {
	rows := s.tallies.unwritten()
	if len(rows) == 0 {
		return
	}
	n := len(rows)
	subs, slots, writers, counts := make([]int64, n), make([]int64, n), make([]int64, n), make([][]byte, n)
	for i, row := range rows {
		subs[i], slots[i], writers[i], counts[i] = row.sub, row.slot, row.writer, row.counts
	}
	ctx, cancel := context.WithTimeout(context.Background(), tallyTimeout)
	defer cancel()
	err := s.write(ctx, notifySettings, func(b *batch) {
		b.Queue(s.sql.Tally, subs, slots, writers, counts)
	})
	s.tallies.wrote(rows, err)
	if err != nil {
		s.log.trouble("writing what was counted of attempts", err)
	}
}

// windows returns what was counted of a subscription by all replicas in the last hour and the last day.
func (s *Store) windows(ctx context.Context, sub int64, now time.Time) (hour, day store.AttemptStats, err error) {
	first, last := rollup.First(now, rollup.Day), rollup.At(now)
	firstOfHour := rollup.First(now, rollup.Hour)
	var inHour, inDay rollup.Bucket
	add := func(slot int64, counts *rollup.Bucket) {
		if slot >= first && slot <= last {
			inDay.Merge(counts)
		}
		if slot >= firstOfHour && slot <= last {
			inHour.Merge(counts)
		}
	}
	ours := s.tallies.of(sub) // before the rows, as slots that are let go are in those
	for slot, counts := range ours {
		add(slot, &counts.Bucket)
	}
	err = s.readRows(ctx, func(rows pgx.Rows) error { return addTallies(rows, ours, add) },
		s.sql.TalliesOf, sub, first, last)
	return inHour.Stats(), inDay.Stats(), err
}

// addTallies adds what replicas have written, but for what is here in a newer state.
func addTallies(rows pgx.Rows, ours map[int64]tallySlot, add func(int64, *rollup.Bucket)) error {
	var slot, writer int64
	var record []byte
	_, err := pgx.ForEachRow(rows, []any{&slot, &writer, &record}, func() error {
		if c, there := ours[slot]; there && c.writer == writer {
			return nil
		}
		counts, err := rollup.Parse(record)
		if err != nil {
			return fmt.Errorf("%w: %v", store.ErrCorrupt, err)
		}
		add(slot, &counts)
		return nil
	})
	return err
}
