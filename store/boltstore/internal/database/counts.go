package database

import (
	"context"
	"errors"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/rollup"
)

// Attempts are counted in memory, in a [rollup.Buffer], and added to what the file has by one
// commit every few seconds. Each such commit writes the version of its batch along. So a reader
// knows from its snapshot alone whether the batch is in the file, also when commits have failed or
// the host has used transactions of its own in between.

// countDelay is how long counts are only in memory. Stats allows for ten seconds. A crash loses the
// counts of that time, and nothing else.
const countDelay = 8 * time.Second

// maxCounts is how many buckets memory may have before the next commit takes them along. It bounds
// memory, and what one transaction writes of them.
const maxCounts = 1024

// MaxUnwritten is how many buckets of counts memory has at most: those that the next commit takes
// along, and those of the outcomes of one commit.
const MaxUnwritten = maxCounts + flushOutcomes

// attemptCounts is the counts of attempts, in memory and in the file.
type attemptCounts struct {
	db      *reader
	commits *commits
	buffer  *rollup.Buffer // those that the file has not; it has a lock of its own
}

// start makes the buffer, which has flush called when counts have waited for countDelay. It can't
// be part of the literal, because the buffer is given a method of a.
func (a *attemptCounts) start() {
	a.buffer = rollup.NewBuffer(rollup.Options{
		Flush: a.flush, Delay: countDelay, MaxUnwritten: maxCounts,
	})
}

// plan returns the batch of counts that a transaction is to write; nil if it is not time. If the
// transaction comes to nothing, the next batch has it all. It is called in the transaction, for the
// version in the file is the only one that counts: a commit that failed may be there all the same.
func (a *attemptCounts) plan(t *txn.Tx) (*buckets.CountsPlan, error) {
	if !t.Counts.WriteNow && !a.buffer.Full() {
		return nil, nil
	}
	version, err := t.Counts.Version()
	if err != nil {
		return nil, err
	}
	rows := a.buffer.Take(version + 1)
	if len(rows) == 0 {
		return nil, nil
	}
	return &buckets.CountsPlan{Version: version + 1, Rows: rows}, nil
}

// flush has the counts written, by a commit that happens anyway if there is one.
func (a *attemptCounts) flush() {
	// As an outcome, so that it waits for a commit to ride on, for some milliseconds.
	err := a.commits.Submit(context.Background(), &Op{Run: writeCounts, Outcomes: 1})
	if err != nil && !errors.Is(err, store.ErrClosed) {
		// Memory still has them, and the buffer tries again after countDelay.
		a.buffer.Fail()
	}
}

// writeCounts has the transaction write the counts, if there are any.
func writeCounts(t *txn.Tx) error {
	t.Counts.WriteNow = true
	return nil
}

// Window adds up what memory and the file have of a subscription. Memory and file must be of one
// moment: an attempt must be counted once, though a batch may be written while this reads. So the
// version in the snapshot says what to add of memory, and if memory no longer has what the snapshot
// lacks, a newer snapshot is taken.
func (a *attemptCounts) Window(
	ctx context.Context, num uint64, now time.Time,
) (*rollup.Window, error) {
	for {
		w := rollup.NewWindow(now)
		all := false
		err := a.db.Read(ctx, func(t *txn.Tx) error {
			version, err := t.Counts.Version()
			if err != nil {
				return err
			}
			if all = a.buffer.Missing(version, w, num); !all {
				return nil // a batch was written since the read began, and memory has dropped it
			}
			first, last := w.Range()
			for at := first; at <= last; at++ {
				b := t.Counts.Get(rollup.Key{Sub: num, At: at})
				w.Add(at, &b)
			}
			return nil
		})
		if all || err != nil {
			return w, err
		}
	}
}
