package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

// Each replica counts the attempts that it records, in buckets of five minutes by the server's
// clock. Each bucket has a row that nobody else writes, which is written now and then, as a whole:
// so writing it again does no harm when it is not known whether it was written.

const (
	countDelay   = 10 * time.Second // how long counts are only in memory
	maxUnwritten = 1024             // buckets that are not written, before they are written at once
	maxCounts    = 4096             // buckets in memory, before those that are written are let go
	countTimeout = 5 * time.Second
)

func (s *Store) newCounts() *rollup.Buffer {
	return rollup.NewBuffer(rollup.Options{
		Flush: s.flushCounts, Delay: countDelay, MaxUnwritten: maxUnwritten, MaxKept: maxCounts,
	})
}

// countAttempt counts an attempt at a time of the server's, in nanoseconds since 1970.
func (s *Store) countAttempt(sub, now int64, a *store.Attempt, ok bool) {
	s.counts.Add(rollup.Key{Sub: uint64(sub), At: rollup.At(time.Unix(0, now))}, a, ok)
}

// flushCounts writes what was counted since the last time. It is called by s.counts, and by Close
// when that has stopped.
func (s *Store) flushCounts() {
	rows := s.counts.Take(1)
	if len(rows) == 0 {
		return
	}
	n := len(rows)
	subs, ats, writers := make([]int64, n), make([]int64, n), make([]int64, n)
	counts := make([][]byte, n)
	for i, row := range rows {
		subs[i], ats[i], writers[i] = int64(row.Sub), row.At, row.Writer
		counts[i] = row.Counts.Append(nil)
	}
	ctx, cancel := context.WithTimeout(context.Background(), countTimeout)
	defer cancel()
	err := s.write(ctx, notifySettings, func(b *batch) {
		b.Queue(s.sql.Tally, subs, ats, writers, counts)
	})
	if err != nil {
		s.counts.Fail()
		s.log.trouble("writing what was counted of attempts", err)
		return
	}
	s.counts.Confirm()
}

// window adds up what was counted of a subscription by all replicas.
func (s *Store) window(ctx context.Context, sub int64, now time.Time) (*rollup.Window, error) {
	w := rollup.NewWindow(now)
	first, last := w.Range()
	ours := make(map[int64]int64) // the writers of what is in memory
	// Before the rows, as buckets that are let go meanwhile are in those.
	s.counts.Of(uint64(sub), func(row rollup.Row) {
		ours[row.At] = row.Writer
		w.Add(row.At, row.Counts)
	})
	err := s.readRows(ctx, func(rows pgx.Rows) error { return addRows(rows, ours, w) },
		s.sql.TalliesOf, sub, first, last)
	return w, err
}

// addRows adds what replicas have written, but for what is in memory in a newer state.
func addRows(rows pgx.Rows, ours map[int64]int64, w *rollup.Window) error {
	var at, writer int64
	var record []byte
	_, err := pgx.ForEachRow(rows, []any{&at, &writer, &record}, func() error {
		if ourWriter, ok := ours[at]; ok && ourWriter == writer {
			return nil
		}
		counts, err := rollup.Parse(record)
		if err != nil {
			return fmt.Errorf("%w: %v", store.ErrCorrupt, err)
		}
		w.Add(at, &counts)
		return nil
	})
	return err
}
