package boltstore

import (
	"context"

	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// An event that many want is erased in two parts. One short transaction removes what the event
// carried and writes a mark, which makes all its deliveries erased: every reader applies it
// (pending.Set.Find). Then small steps bring the records of the deliveries in line with it, a few
// in each transaction, so that those who publish meanwhile wait for no more than one step. Erase
// takes all steps before it returns. If it can't, because its context ends or the process dies,
// Prune takes the rest; the mark is in the file.
//
// Until its step, a delivery that was pending stays in the counts of pending deliveries, in the
// indexes and in memory, where Claim passes it over, and those that it blocks in its key stay
// blocked.

// eraser erases events, and finishes erasures that were cut off.
type eraser struct {
	db      *database
	state   *state
	commits *commits
}

// finish takes the steps of an erasure until the last.
func (e *eraser) finish(ctx context.Context, seq uint64) (err error) {
	for done := false; !done && err == nil; {
		if err = e.db.check(ctx); err == nil {
			done, err = e.step(ctx, seq)
		}
	}
	if err != nil { // it is left to Prune
		e.state.Lock()
		defer e.state.Unlock()
		if known := e.state.memory.Erasing[seq]; known != nil {
			known.UnderWay = false
		}
	}
	return err
}

// step takes one step of an erasure. It is done if that was the last, or if there is none.
func (e *eraser) step(ctx context.Context, seq uint64) (done bool, err error) {
	err = e.commits.submit(ctx, &op{run: func(t *txn.Tx) (err error) {
		done, err = t.Erasures.Step(seq)
		return err
	}})
	return done, err
}

// resume takes a step of an erasure that was cut off. It reports whether there was one.
func (e *eraser) resume(ctx context.Context) (more bool, err error) {
	seq := uint64(0)
	e.state.Lock()
	for other, known := range e.state.memory.Erasing {
		if !known.UnderWay {
			seq = other
		}
	}
	e.state.Unlock()
	if seq == 0 {
		return false, nil
	}
	_, err = e.step(ctx, seq)
	return true, err
}

// resumeAll finishes all erasures that were cut off.
func (e *eraser) resumeAll(ctx context.Context) error {
	for more := true; more; {
		if err := e.db.check(ctx); err != nil {
			return err
		}
		var err error
		if more, err = e.resume(ctx); err != nil {
			return err
		}
	}
	return nil
}
