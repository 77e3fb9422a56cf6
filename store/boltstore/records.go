package boltstore

import (
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// putNumber and number store and read a value that is a number; a missing one is 0.
func (f *file) putNumber(id bucketID, key []byte, n uint64) error {
	return f.put(id, key, record.EncodeNumber(key, n))
}

func (f *file) number(id bucketID, key []byte) (uint64, error) {
	v := f.get(id, key)
	if v == nil {
		return 0, nil
	}
	n, err := record.DecodeNumber(key, v)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", bucketNames[id], err)
	}
	return n, nil
}

func (f *file) metaNumber(name string) (uint64, error) { return f.number(meta, []byte(name)) }

func (f *file) putMetaNumber(name string, n uint64) error { return f.putNumber(meta, []byte(name), n) }

// health returns the health of a subscription. One that can't be read is the zero one: it is a memory, no promise.
func (t *txn) health(num uint64) record.Health {
	if h, ok := t.healths[num]; ok {
		return h
	}
	key := record.Key1(num)
	h, err := record.DecodeHealth(key[:], t.get(healths, key[:]))
	if err != nil {
		h = record.Health{}
	}
	if t.healths == nil {
		t.healths = make(map[uint64]record.Health)
	}
	t.healths[num] = h
	return h
}

// setHealth changes the health of a subscription.
func (t *txn) setHealth(num uint64, h record.Health) {
	if t.health(num) == h {
		return
	}
	t.healths[num] = h
	if t.changedHealths == nil {
		t.changedHealths = make(map[uint64]bool)
	}
	t.changedHealths[num] = true
	t.changes++
	t.effects.add(t.effects.healths.add(healthChanged{num, h.Health}))
}

// flush writes what was changed of backlogs and healths. It must come last.
func (t *txn) flush() error {
	if err := t.pending.Flush(); err != nil {
		return err
	}
	for num := range t.changedHealths {
		key, h := record.Key1(num), t.healths[num]
		if err := t.putOrRemove(healths, key[:], h == record.Health{}, h.Encode); err != nil {
			return err
		}
	}
	t.changedHealths = nil
	return nil
}

func (f *file) putOrRemove(id bucketID, key []byte, empty bool, encode func(key []byte) []byte) error {
	if empty {
		return f.remove(id, key)
	}
	return f.put(id, key, encode(key))
}

// sub returns a subscription by its number; nil when there is none. It is for reading only.
func (t *txn) sub(num uint64) (*store.Subscription, error) {
	if s, ok := t.subs[num]; ok {
		return s, nil
	}
	key := record.Key1(num)
	v := t.get(subs, key[:])
	var s *store.Subscription
	if v != nil {
		var err error
		if s, err = record.DecodeSubscription(key[:], v); err != nil {
			return nil, err
		}
	}
	t.setSub(num, s)
	return s, nil
}

// setSub says what the subscription is for the rest of the transaction.
func (t *txn) setSub(num uint64, s *store.Subscription) {
	if t.subs == nil {
		t.subs = make(map[uint64]*store.Subscription)
	}
	t.subs[num] = s
}

// alive reports whether there is a subscription of that number.
func (t *txn) alive(num uint64) bool {
	if s, ok := t.subs[num]; ok {
		return s != nil
	}
	key := record.Key1(num)
	return t.get(subs, key[:]) != nil
}
