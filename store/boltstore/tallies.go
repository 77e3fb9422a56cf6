package boltstore

import (
	"context"
	"errors"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/rollup"
)

// What attempts came to is counted in memory, in slots of package rollup, and added to what the file has by one commit
// every few seconds.

// tallyDelay is how long counts are only in memory. Stats allows for ten seconds.
const tallyDelay = 8 * time.Second

// maxTallied is how many slots memory may have before the next commit takes them along.
const maxTallied = 1024

// tallies are the counts that the file has not. It is part of memory.
type tallies struct {
	slots   map[txn.CountsKey]*rollup.Bucket
	timer   *time.Timer
	ticking bool // timer is on its way

	// writer is the transaction that writes slots: who reads as of it, or later, finds them in the file. 0 when none does.
	writer int
	// written is the last transaction that has written slots: who reads as of one before it finds neither them in the
	// file, nor here any more.
	written int
}

// planTally returns the counts to be written, which nobody changes before the transaction has ended; nil when it is not
// time. Store.mu must be held.
func (s *Store) planTally(t *txn.Tx) map[txn.CountsKey]*rollup.Bucket {
	n := len(s.tallies.slots)
	if n == 0 || !t.Counts.WriteNow && n <= maxTallied {
		s.tallies.writer = 0
		return nil
	}
	s.tallies.writer = t.Tx.ID()
	return s.tallies.slots
}

// countsWritten takes in that counts are in the file.
func (s *Store) countsWritten(e txn.CountsWritten) {
	clear(e.Slots)
	s.tallies.writer, s.tallies.written = 0, e.Tx
}

// count takes in attempts.
func (s *Store) count(slot int64, attempts []txn.CountedAttempt) {
	if s.tallies.slots == nil {
		s.tallies.slots = make(map[txn.CountsKey]*rollup.Bucket)
	}
	for _, c := range attempts {
		key := txn.CountsKey{Bucket: slot, Num: c.Num}
		sum := s.tallies.slots[key]
		if sum == nil {
			sum = new(rollup.Bucket)
			s.tallies.slots[key] = sum
		}
		sum.Add(&store.Attempt{Status: c.Status, Duration: c.Took}, c.Delivered)
	}
	s.startTally()
}

// startTally has the counts written in a while. Store.mu must be held.
func (s *Store) startTally() {
	switch {
	case s.tallies.ticking:
		return
	case s.tallies.timer == nil:
		s.tallies.timer = time.AfterFunc(tallyDelay, s.tallyLate)
	default:
		s.tallies.timer.Reset(tallyDelay)
	}
	s.tallies.ticking = true
}

// tallyLate has the counts written, if there are any, with a commit that happens anyway when there is one.
func (s *Store) tallyLate() {
	s.mu.Lock()
	s.tallies.ticking = false
	n := len(s.tallies.slots)
	s.mu.Unlock()
	if n == 0 {
		return
	}
	err := s.submit(context.Background(), &op{run: tallyNow, outcomes: 1})
	if err != nil && !errors.Is(err, store.ErrClosed) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.startTally()
	}
}

// tallyNow has the transaction write the counts.
func tallyNow(t *txn.Tx) error {
	t.Counts.WriteNow = true
	return nil
}

// stopTally stops the timer. Nothing is counted any more.
func (s *Store) stopTally() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tallies.timer != nil {
		s.tallies.timer.Stop()
	}
}
