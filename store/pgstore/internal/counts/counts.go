// Package counts counts the attempts that a replica records, in buckets of five minutes by the
// server's clock.
//
// Each bucket of each replica has a row that nobody else writes, which is written now and then, as
// a whole: so writing it again does no harm if it is not known whether it was written. Who reads
// adds up the rows of all replicas, and takes its own from memory, where they are newer.
package counts

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

const (
	// MaxKept is how many buckets are in memory before those that are written are let go.
	MaxKept = 4096

	delay        = 10 * time.Second // how long counts are only in memory
	maxUnwritten = 1024             // buckets, before they are written at once
	flushTimeout = 5 * time.Second
)

// Counts counts the attempts of one replica. Make one with [New]. It is safe for concurrent use.
// A crash loses the figures of some ten seconds, and no delivery.
type Counts struct {
	*replica.Replica
	buffer *rollup.Buffer
}

// New returns counts that are written in the background, or, if manual, by Flush alone.
func New(r *replica.Replica, manual bool) *Counts {
	c := &Counts{Replica: r}
	o := rollup.Options{MaxKept: MaxKept}
	if !manual {
		o.Flush, o.Delay, o.MaxUnwritten = c.Flush, delay, maxUnwritten
	}
	c.buffer = rollup.NewBuffer(o)
	return c
}

// Close writes what was counted. Nothing is added any more: the façade closes the recorder first.
func (c *Counts) Close() {
	c.buffer.Stop()
	c.Flush()
}

// Add counts an attempt that was recorded at a time of the server's, in nanoseconds since 1970.
func (c *Counts) Add(sub uint64, now int64, a *store.Attempt, ok bool) {
	at := time.Unix(0, now)
	c.buffer.Add(sub, at, a, ok)
	c.buffer.Add(rollup.All, at, a, ok)
}

// Len returns how many buckets are in memory. It is for tests of MaxKept.
func (c *Counts) Len() int {
	n, _ := c.buffer.Len()
	return n
}

// Flush writes what was counted since the last time. Two must not go on at once: the buffer calls
// it, and Close once that has stopped.
func (c *Counts) Flush() {
	rows := c.buffer.Take(1)
	if len(rows) == 0 {
		return
	}
	// Each row is the whole of its bucket, so one that is written twice is the same.
	n := len(rows)
	subs, ats, writers := make([]int64, n), make([]int64, n), make([]int64, n)
	counts := make([][]byte, n)
	for i, row := range rows {
		// The writer is a number of the buffer's, drawn at random: replicas share no row.
		subs[i], ats[i], writers[i] = int64(row.Sub), row.At, row.Writer
		counts[i] = row.Counts.Append(nil)
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushTimeout)
	defer cancel()
	// It does not wait for the disk: what is lost in a crash is what memory would have lost too,
	// a little later.
	err := c.DB.Write(ctx, sqltx.Async, func(b *sqltx.Batch) {
		b.Queue(c.SQL.WriteCounts, subs, ats, writers, counts)
	})
	if err != nil {
		// They are written with the next ones.
		c.buffer.Fail()
		c.Log("writing what was counted of attempts", err)
		return
	}
	c.buffer.Confirm()
}

// Window adds up what all replicas have counted of a subscription in the day before now.
func (c *Counts) Window(ctx context.Context, sub int64, now time.Time) (*rollup.Window, error) {
	w := rollup.NewWindow(now)
	first, last := w.Range()
	return w, c.add(ctx, w, first, last, sub)
}

// Figures adds up what all replicas have counted of some subscriptions; [rollup.All] stands for
// all.
func (c *Counts) Figures(
	ctx context.Context, now time.Time, per store.Resolution, subs ...int64,
) (store.Figures, error) {
	s := rollup.NewSeries(now, per)
	first, last := s.Range()
	err := c.add(ctx, s, first, last, subs...)
	return s.Figures(), err
}

// add adds the buckets from first to last of some subscriptions to w. A row that can't be read
// counts as nothing.
func (c *Counts) add(ctx context.Context, w rollup.Sums, first, last int64, subs ...int64) error {
	// Memory before the rows: a bucket that is let go in between is in these by then.
	ours := make(map[rollup.Key]int64) // the writers of what is in memory
	for _, sub := range subs {
		c.buffer.Of(uint64(sub), func(row rollup.Row) {
			ours[row.Key] = row.Writer
			w.Add(row.At, row.Counts)
		})
	}
	var sub, at, writer int64
	var row []byte
	read := sqltx.Each([]any{&sub, &at, &writer, &row}, func() {
		if own, ok := ours[rollup.Key{Sub: uint64(sub), At: at}]; ok && own == writer {
			return // memory has a newer state of it
		}
		if counts, err := rollup.Parse(row); err == nil {
			w.Add(at, &counts)
		}
	})
	return c.DB.Rows(ctx, read, c.SQL.CountsOf, subs, first, last)
}
