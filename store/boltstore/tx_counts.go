package boltstore

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/rollup"
)

// slotKey names a slot of a subscription.
type slotKey struct {
	slot int64
	num  uint64
}

// counted is an attempt that is to be counted.
type counted struct {
	num       uint64
	status    int
	took      time.Duration
	delivered bool
}

// note counts an attempt, once the transaction is committed.
func (x *counts) note(num uint64, o *outcome) {
	x.attempts = append(x.attempts, counted{num, o.Attempt.Status, o.Attempt.Duration, o.State == store.Delivered})
}

// ride completes a transaction with the counts: it writes former ones when it is time, and has its own taken in.
func (x *counts) ride(slots map[slotKey]*rollup.Bucket) error {
	if slots != nil {
		if err := x.write(slots); err != nil {
			return err
		}
		x.effects.add(countsWritten{slots, x.tx.ID()})
	}
	if len(x.attempts) > 0 {
		// After countsWritten: that empties what these are added to.
		x.effects.add(attemptsCounted{rollup.At(record.AsTime(x.now)), x.attempts})
	}
	return nil
}

func (k slotKey) key() [record.Len2]byte { return record.Key2(uint64(k.slot), k.num) }

// get returns the stored counts of a subscription. Like a health, what can't be read is nothing.
func (x *counts) get(k slotKey) rollup.Bucket {
	key := k.key()
	s, err := record.DecodeCounts(key[:], x.base.get(BucketCounts, key[:]))
	if err != nil {
		return rollup.Bucket{}
	}
	return s
}

// write adds to the stored counts. Those of subscriptions that are gone are dropped.
func (x *counts) write(slots map[slotKey]*rollup.Bucket) error {
	byKey := func(a, b slotKey) int { return cmp.Or(cmp.Compare(a.slot, b.slot), cmp.Compare(a.num, b.num)) }
	for _, k := range slices.SortedFunc(maps.Keys(slots), byKey) {
		if k.slot < 0 || !x.subs.exists(k.num) {
			continue
		}
		sum := x.get(k)
		sum.Merge(slots[k])
		key := k.key()
		if err := x.base.put(BucketCounts, key[:], record.EncodeCounts(key[:], &sum)); err != nil {
			return err
		}
	}
	return nil
}

// past returns at most n keys of counts that are past, oldest first.
func (x *counts) past(n int) (keys [][]byte) {
	first := rollup.First(record.AsTime(x.now), rollup.Day)
	c := x.bucket(BucketCounts).Cursor()
	for k, _ := c.First(); k != nil && int64(record.KeyNumber(k, 0)) < first && len(keys) < n; k, _ = c.Next() {
		keys = append(keys, slices.Clone(k))
	}
	return keys
}

// removeRecent removes the counts of a subscription, but for those that are past.
func (x *counts) removeRecent(num uint64) error {
	now := record.AsTime(x.now)
	for slot := rollup.First(now, rollup.Day); slot <= rollup.At(now); slot++ {
		key := slotKey{slot, num}.key()
		if x.base.get(BucketCounts, key[:]) == nil {
			continue
		}
		if err := x.remove(BucketCounts, key[:]); err != nil {
			return err
		}
	}
	return nil
}
