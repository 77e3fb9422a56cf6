package txn

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/rollup"
)

// CountsKey names a slot of a subscription.
type CountsKey struct {
	Bucket int64
	Num    uint64
}

// CountedAttempt is an attempt that is to be counted.
type CountedAttempt struct {
	Num       uint64
	Status    int
	Took      time.Duration
	Delivered bool
}

// note counts an attempt, once the transaction is committed.
func (x *counts) note(num uint64, o *Outcome) {
	x.attempts = append(x.attempts, CountedAttempt{num, o.Attempt.Status, o.Attempt.Duration, o.State == store.Delivered})
}

// complete completes a transaction with the counts: it writes former ones when it is time, and has its own taken in.
func (x *counts) complete(slots map[CountsKey]*rollup.Bucket) error {
	if slots != nil {
		if err := x.write(slots); err != nil {
			return err
		}
		x.effects.add(CountsWritten{slots, x.Tx.ID()})
	}
	if len(x.attempts) > 0 {
		// After countsWritten: that empties what these are added to.
		x.effects.add(AttemptsCounted{rollup.At(record.AsTime(x.Now)), x.attempts})
	}
	return nil
}

func (k CountsKey) key() [record.Len2]byte { return record.Key2(uint64(k.Bucket), k.Num) }

// Get returns the stored counts of a subscription. Like a health, what can't be read is nothing.
func (x *counts) Get(k CountsKey) rollup.Bucket {
	key := k.key()
	s, err := record.DecodeCounts(key[:], x.base.Get(BucketCounts, key[:]))
	if err != nil {
		return rollup.Bucket{}
	}
	return s
}

// write adds to the stored counts. Those of subscriptions that are gone are dropped.
func (x *counts) write(slots map[CountsKey]*rollup.Bucket) error {
	byKey := func(a, b CountsKey) int { return cmp.Or(cmp.Compare(a.Bucket, b.Bucket), cmp.Compare(a.Num, b.Num)) }
	for _, k := range slices.SortedFunc(maps.Keys(slots), byKey) {
		if k.Bucket < 0 || !x.subs.Exists(k.Num) {
			continue
		}
		sum := x.Get(k)
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
	first := rollup.First(record.AsTime(x.Now), rollup.Day)
	c := x.Bucket(BucketCounts).Cursor()
	for k, _ := c.First(); k != nil && int64(record.KeyNumber(k, 0)) < first && len(keys) < n; k, _ = c.Next() {
		keys = append(keys, slices.Clone(k))
	}
	return keys
}

// removeRecent removes the counts of a subscription, but for those that are past.
func (x *counts) removeRecent(num uint64) error {
	now := record.AsTime(x.Now)
	for slot := rollup.First(now, rollup.Day); slot <= rollup.At(now); slot++ {
		key := CountsKey{slot, num}.key()
		if x.base.Get(BucketCounts, key[:]) == nil {
			continue
		}
		if err := x.remove(BucketCounts, key[:]); err != nil {
			return err
		}
	}
	return nil
}
