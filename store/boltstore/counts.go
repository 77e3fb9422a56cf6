package boltstore

import (
	"context"
	"errors"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

// Attempts are counted in memory, in a [rollup.Buffer], and added to what the file has by one
// commit every few seconds. Each such commit writes the version of its batch along (metaCounts): so
// a reader knows from its snapshot alone whether the batch is in the file, also when commits have
// failed, or the host has rolled back or committed transactions of its own in between.

// countDelay is how long counts are only in memory. Stats allows for ten seconds.
const countDelay = 8 * time.Second

// maxCounts is how many buckets memory may have before the next commit takes them along.
const maxCounts = 1024

func (s *Store) newCounts() *rollup.Buffer {
	return rollup.NewBuffer(rollup.Options{
		Flush: s.flushCounts, Delay: countDelay, MaxUnwritten: maxCounts,
	})
}

// counted is an attempt that is to be counted.
type counted struct {
	num       uint64
	status    int
	took      time.Duration
	delivered bool
}

// count counts an attempt, once the transaction is committed.
func (t *txn) count(num uint64, o *outcome) {
	t.counted = append(t.counted,
		counted{num, o.Attempt.Status, o.Attempt.Duration, o.State == store.Delivered})
}

// writeCounts completes a transaction with the counts: it writes former ones if it is time, and has
// its own taken in.
func (t *txn) writeCounts() error {
	counts := t.store.counts
	if t.flushing || counts.Full() {
		if err := t.writeBatch(counts); err != nil {
			return err
		}
	}
	if len(t.counted) > 0 {
		at := rollup.At(asTime(t.now))
		t.after(func() {
			for _, c := range t.counted {
				a := store.Attempt{Status: c.status, Duration: c.took}
				counts.Add(rollup.Key{Sub: c.num, At: at}, &a, c.delivered)
			}
		})
	}
	return nil
}

// writeBatch writes what was counted. If the transaction comes to nothing, the next batch has it
// all.
func (t *txn) writeBatch(counts *rollup.Buffer) error {
	version, err := t.metaNumber(metaCounts)
	if err != nil {
		return err
	}
	version++
	rows := counts.Take(version)
	if len(rows) == 0 {
		return nil
	}
	if err := t.addCounts(rows); err != nil {
		return err
	}
	t.after(counts.Confirm) // before the counts of this transaction are added
	return t.putMetaNumber(metaCounts, version)
}

// flushCounts has the counts written, by a commit that happens anyway if there is one.
func (s *Store) flushCounts() {
	err := s.submit(context.Background(), &op{run: flushNow, outcomes: 1})
	if err != nil && !errors.Is(err, store.ErrClosed) {
		s.counts.Fail()
	}
}

// flushNow has the transaction write the counts, if there are any.
func flushNow(t *txn) error {
	if _, unwritten := t.store.counts.Len(); unwritten > 0 {
		t.wrote, t.flushing = true, true
	}
	return nil
}
