package boltstore

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/tally"
)

// The file has a record for each slot and subscription, by the slot first, so that those that are past are at the front.

func (k slotKey) key() [num2]byte { return key2(uint64(k.slot), k.num) }

func encodeSlot(key []byte, s *tally.Slot) []byte {
	e := newEncoder(32)
	e.b = s.Append(e.b)
	return e.seal(key)
}

// decodeSlot reads counts. No value is none.
func decodeSlot(key, v []byte) (tally.Slot, error) {
	if v == nil {
		return tally.Slot{}, nil
	}
	d, err := unseal(key, v)
	if err != nil {
		return tally.Slot{}, fmt.Errorf("counts of subscription %d: %w", number(key, 1), err)
	}
	s, err := tally.Parse(d.b)
	if err != nil {
		return tally.Slot{}, fmt.Errorf("counts of subscription %d: %w: %w", number(key, 1), store.ErrCorrupt, err)
	}
	return s, nil
}

// slot returns the stored counts of a subscription. Like a health, what can't be read is nothing.
func (t *txn) slot(k slotKey) tally.Slot {
	key := k.key()
	s, err := decodeSlot(key[:], t.get(counts, key[:]))
	if err != nil {
		return tally.Slot{}
	}
	return s
}

// writeSlots adds to the stored counts. Those of subscriptions that are gone are dropped.
func (t *txn) writeSlots(slots map[slotKey]*tally.Slot) error {
	byKey := func(a, b slotKey) int { return cmp.Or(cmp.Compare(a.slot, b.slot), cmp.Compare(a.num, b.num)) }
	for _, k := range slices.SortedFunc(maps.Keys(slots), byKey) {
		if k.slot < 0 || !t.alive(k.num) {
			continue
		}
		sum := t.slot(k)
		sum.Merge(slots[k])
		key := k.key()
		if err := t.put(counts, key[:], encodeSlot(key[:], &sum)); err != nil {
			return err
		}
	}
	return nil
}

// pastSlots returns at most n keys of counts that are past, oldest first.
func (t *txn) pastSlots(n int) (keys [][]byte) {
	first := tally.First(asTime(t.now), tally.Day)
	c := t.bucket(counts).Cursor()
	for k, _ := c.First(); k != nil && int64(number(k, 0)) < first && len(keys) < n; k, _ = c.Next() {
		keys = append(keys, slices.Clone(k))
	}
	return keys
}

// removeSlots removes the counts of a subscription, but for those that are past.
func (t *txn) removeSlots(num uint64) error {
	now := asTime(t.now)
	for slot := tally.First(now, tally.Day); slot <= tally.At(now); slot++ {
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
	hour, day tally.Slot
}

// add adds what one slot has.
func (w *windows) add(slot int64, s *tally.Slot) {
	if slot >= tally.First(w.now, tally.Day) {
		w.day.Merge(s)
	}
	if slot >= tally.First(w.now, tally.Hour) {
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
		for slot := tally.First(w.now, tally.Day); slot <= tally.At(w.now); slot++ {
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
