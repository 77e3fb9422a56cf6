package boltstore

import (
	"context"
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/rollup"

	bolt "go.etcd.io/bbolt"
)

// The file has a record for each slot and subscription, by the slot first, so that those that are past are at the front.

// windows is the counts of a subscription.
type windows struct {
	store     *Store
	num       uint64
	now       time.Time
	hour, day rollup.Bucket
}

// add adds what one slot has.
func (w *windows) add(slot int64, s *rollup.Bucket) {
	if slot >= rollup.First(w.now, rollup.Day) {
		w.day.Merge(s)
	}
	if slot >= rollup.First(w.now, rollup.Hour) {
		w.hour.Merge(s)
	}
}

// read adds up what memory and the file have.
func (w *windows) read(ctx context.Context) error {
	return guarded(func() error {
		tx, err := w.begin(ctx)
		if err != nil {
			return err
		}
		defer w.store.endRead(ctx, tx)
		t, err := w.store.begin(tx)
		if err != nil {
			return err
		}
		for slot := rollup.First(w.now, rollup.Day); slot <= rollup.At(w.now); slot++ {
			s := t.Counts.Get(txn.CountsKey{Bucket: slot, Num: w.num})
			w.add(slot, &s)
		}
		return nil
	})
}

// begin begins a transaction that reads, and adds what memory has and the file, as of it, has not.
func (w *windows) begin(ctx context.Context) (*bolt.Tx, error) {
	s := w.store
	for {
		tx, err := s.beginRead(ctx)
		if err != nil || w.addMemory(tx.ID()) {
			return tx, err
		}
		s.endRead(ctx, tx) // it is from before slots were written that memory has dropped since
	}
}

// addMemory adds what memory has and the file has not as of a transaction. It is false if neither has all.
func (w *windows) addMemory(id int) bool {
	s := w.store
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case id < s.tallies.written:
		return false
	case s.tallies.writer != 0 && id >= s.tallies.writer:
		return true
	}
	for k, slot := range s.tallies.slots {
		if k.Num == w.num {
			w.add(k.Bucket, slot)
		}
	}
	return true
}
