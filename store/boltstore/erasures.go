package boltstore

import (
	"context"

	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// An event that many want is erased in two parts. One short transaction removes what the event
// carried and writes a mark, which makes all its deliveries erased: every reader applies it
// (txn.find). Then small steps bring the records of the deliveries in line with it, a few in each
// transaction, so that those who publish meanwhile wait for no more than one step. Erase takes all
// steps before it returns. If it can't, because its context ends or the process dies, Prune takes
// the rest; the mark is in the file.
//
// Until its step, a delivery that was pending stays in the counts of pending deliveries, in the
// indexes and in memory, where Claim passes it over, and those that it blocks in its key stay
// blocked.

// finishErasure takes the steps of an erasure until the last.
func (s *Store) finishErasure(ctx context.Context, seq uint64) (err error) {
	for done := false; !done && err == nil; {
		if err = s.check(ctx); err == nil {
			done, err = s.stepErasure(ctx, seq)
		}
	}
	if err != nil { // it is left to Prune
		s.mu.Lock()
		defer s.mu.Unlock()
		if e := s.memory.Erasing[seq]; e != nil {
			e.UnderWay = false
		}
	}
	return err
}

// stepErasure takes one step of an erasure. It is done if that was the last, or if there is none.
func (s *Store) stepErasure(ctx context.Context, seq uint64) (done bool, err error) {
	err = s.submit(ctx, &op{run: func(t *txn.Tx) (err error) {
		done, err = t.Erasures.Step(seq)
		return err
	}})
	return done, err
}

// resumeErasure takes a step of an erasure that was cut off. It reports whether there was one.
func (s *Store) resumeErasure(ctx context.Context) (more bool, err error) {
	seq := uint64(0)
	s.mu.Lock()
	for other, e := range s.memory.Erasing {
		if !e.UnderWay {
			seq = other
		}
	}
	s.mu.Unlock()
	if seq == 0 {
		return false, nil
	}
	_, err = s.stepErasure(ctx, seq)
	return true, err
}

// resumeErasures finishes all erasures that were cut off.
func (s *Store) resumeErasures(ctx context.Context) error {
	for more := true; more; {
		if err := s.check(ctx); err != nil {
			return err
		}
		var err error
		if more, err = s.resumeErasure(ctx); err != nil {
			return err
		}
	}
	return nil
}
