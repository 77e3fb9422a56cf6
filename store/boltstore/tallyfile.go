package boltstore

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/record"

	"github.com/outhook/outhook/store/internal/rollup"
	bolt "go.etcd.io/bbolt"
)

// The file has a record for each slot and subscription, by the slot first, so that those that are past are at the front.

func (k slotKey) key() [record.Len2]byte { return record.Key2(uint64(k.slot), k.num) }

// slot returns the stored counts of a subscription. Like a health, what can't be read is nothing.
func (t *txn) slot(k slotKey) rollup.Bucket {
	key := k.key()
	s, err := record.DecodeCounts(key[:], t.get(counts, key[:]))
	if err != nil {
		return rollup.Bucket{}
	}
	return s
}

// writeSlots adds to the stored counts. Those of subscriptions that are gone are dropped.
func (t *txn) writeSlots(slots map[slotKey]*rollup.Bucket) error {
	byKey := func(a, b slotKey) int { return cmp.Or(cmp.Compare(a.slot, b.slot), cmp.Compare(a.num, b.num)) }
	for _, k := range slices.SortedFunc(maps.Keys(slots), byKey) {
		if k.slot < 0 || !t.alive(k.num) {
			continue
		}
		sum := t.slot(k)
		sum.Merge(slots[k])
		key := k.key()
		if err := t.put(counts, key[:], record.EncodeCounts(key[:], &sum)); err != nil {
			return err
		}
	}
	return nil
}

// pastSlots returns at most n keys of counts that are past, oldest first.
func (t *txn) pastSlots(n int) (keys [][]byte) {
	first := rollup.First(record.AsTime(t.now), rollup.Day)
	c := t.bucket(counts).Cursor()
	for k, _ := c.First(); k != nil && int64(record.KeyNumber(k, 0)) < first && len(keys) < n; k, _ = c.Next() {
		keys = append(keys, slices.Clone(k))
	}
	return keys
}

// removeSlots removes the counts of a subscription, but for those that are past.
func (t *txn) removeSlots(num uint64) error {
	now := record.AsTime(t.now)
	for slot := rollup.First(now, rollup.Day); slot <= rollup.At(now); slot++ {
		key := slotKey{slot, num}.key()
		if t.get(counts, key[:]) == nil {
			continue
		}
		if err := t.remove(counts, key[:]); err != nil {
			return err
		}
	}
	return nil
}

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
			s := t.slot(slotKey{slot, w.num})
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
		if k.num == w.num {
			w.add(k.slot, slot)
		}
	}
	return true
}
