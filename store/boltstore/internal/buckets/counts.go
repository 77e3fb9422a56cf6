package buckets

import (
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/rollup"
)

// counts reads and writes the counts of attempts. The file has a record for each bucket and
// subscription, by the bucket first, so that those that are past are at the front.
type counts struct {
	*base
	subs     *subscriptions          // for whether a subscription is still there
	attempts []effect.CountedAttempt // of this transaction

	// WriteNow says that the transaction is to write the counts that memory has. An operation sets
	// it; the plan of the batch is made when all operations have run.
	WriteNow bool
}

// CountsPlan is a batch of counts to be added to those in the file. Version is the number of the
// batch. It is one more than that of the last batch in the file, so a reader's snapshot tells
// whether it has this batch.
type CountsPlan struct {
	Version uint64
	Rows    []rollup.Row
}

// Version returns the number of the last batch that is in the file; 0 if there was none.
func (x *counts) Version() (uint64, error) { return x.MetaNumber(metaCounts) }

// Expect makes room for so many calls of Note.
func (x *counts) Expect(n int) { x.attempts = slices.Grow(x.attempts, n) }

// Note has an attempt counted, once the transaction is committed. It writes nothing: the record of
// the counts would be one more page in each commit.
func (x *counts) Note(num uint64, o *store.Outcome) {
	x.attempts = append(x.attempts, effect.CountedAttempt{
		Num:       num,
		At:        record.AsTime(x.Now),
		Status:    o.Attempt.Status,
		Duration:  o.Attempt.Duration,
		Delivered: o.State == store.Delivered,
	})
}

// Complete adds a batch, which may be nil, and has the transaction's own attempts counted.
func (x *counts) Complete(plan *CountsPlan) error {
	if plan != nil {
		// All rows and the version are in one transaction: a batch is in the file as a whole or not
		// at all.
		for _, row := range plan.Rows {
			if err := x.add(row); err != nil {
				return err
			}
		}
		if err := x.addToAll(plan.Rows); err != nil {
			return err
		}
		if err := x.PutMetaNumber(metaCounts, plan.Version); err != nil {
			return err
		}
		// Before the attempts of this transaction: they are of the next batch.
		x.Log.Add(effect.CountsWritten{})
	}
	// Also without a batch, and no cause to write one: memory has them written within seconds.
	if len(x.attempts) > 0 {
		x.Log.Add(effect.AttemptsCounted{Attempts: x.attempts})
	}
	return nil
}

// add adds to the counts in the file. Those of a subscription that is gone are dropped.
func (x *counts) add(row rollup.Row) error {
	// The key has the number of the bucket unsigned, so one of before 1970 would sort behind all
	// others, where Past does not come.
	if row.At < 0 || row.Sub != rollup.All && !x.subs.Exists(row.Sub) {
		return nil
	}
	// The file's counts are added to, because memory keeps nothing of a bucket that is written.
	sum := x.Get(row.Key)
	sum.Merge(row.Counts)
	key := countsKey(row.Key)
	return x.put(Counts, key[:], record.EncodeCounts(key[:], &sum))
}

// addToAll adds a batch to the counts of all subscriptions. Here and not when an attempt is
// counted: so it costs one record for each five minutes that a batch is about. Rows are in the
// order of their buckets.
func (x *counts) addToAll(rows []rollup.Row) error {
	for len(rows) > 0 {
		at, sum := rows[0].At, new(rollup.Bucket)
		for len(rows) > 0 && rows[0].At == at {
			sum.Merge(rows[0].Counts)
			rows = rows[1:]
		}
		row := rollup.Row{Key: rollup.Key{Sub: rollup.All, At: at}, Counts: sum}
		if err := x.add(row); err != nil {
			return err
		}
	}
	return nil
}

// countsKey has the time first, so that the counts that are past are at the front of the bucket.
func countsKey(k rollup.Key) [record.Len2]byte { return record.Key2(uint64(k.At), k.Sub) }

// Get returns the counts that the file has. As with a health, what can't be read is nothing. Counts
// are statistics, so losing five minutes of them is better than an attempt whose outcome can't be
// recorded.
func (x *counts) Get(k rollup.Key) rollup.Bucket {
	key := countsKey(k)
	b, err := record.DecodeCounts(key[:], x.base.Get(Counts, key[:]))
	if err != nil {
		return rollup.Bucket{}
	}
	return b
}

// Sum adds what the file has of some subscriptions in a bucket. Their numbers are in ascending
// order. It costs by the fewer: by them, or by those that have counts.
func (x *counts) Sum(at int64, nums []uint64, w rollup.Sums) {
	c := x.Bucket(Counts).Cursor()
	for len(nums) > 0 {
		key := countsKey(rollup.Key{Sub: nums[0], At: at})
		k, v := c.Seek(key[:])
		if k == nil || int64(record.KeyNumber(k, 0)) != at {
			return
		}
		i, asked := slices.BinarySearch(nums, record.KeyNumber(k, 1))
		if nums = nums[i:]; !asked {
			continue
		}
		// What can't be read is nothing, see Get.
		if b, err := record.DecodeCounts(k, v); err == nil {
			w.Add(at, &b)
		}
		nums = nums[1:]
	}
}

// Past returns at most n keys of counts that are past, oldest first.
func (x *counts) Past(n int) (keys [][]byte) {
	first := rollup.First(record.AsTime(x.Now), rollup.Kept)
	c := x.Bucket(Counts).Cursor()
	for k, _ := c.First(); k != nil && int64(record.KeyNumber(k, 0)) < first && len(keys) < n; {
		// A copy, since the keys are removed in a transaction of their own, when this one's memory
		// is gone.
		keys = append(keys, slices.Clone(k))
		k, _ = c.Next()
	}
	return keys
}

// RemoveRecent removes the counts of a subscription, but for those that are past. Those are left to
// Prune, which finds them at the front of the bucket.
func (x *counts) RemoveRecent(num uint64) error {
	now := record.AsTime(x.Now)
	// By key, one for each five minutes that are kept: the bucket has the time first, so a search for
	// the subscription would read the counts of all.
	for at := rollup.First(now, rollup.Kept); at <= rollup.At(now); at++ {
		key := countsKey(rollup.Key{Sub: num, At: at})
		if x.base.Get(Counts, key[:]) == nil {
			continue
		}
		if err := x.base.Remove(Counts, key[:]); err != nil {
			return err
		}
	}
	return nil
}

// Remove removes counts by their keys.
func (x *counts) Remove(keys [][]byte) error {
	for _, k := range keys {
		if err := x.base.Remove(Counts, k); err != nil {
			return err
		}
	}
	return nil
}
