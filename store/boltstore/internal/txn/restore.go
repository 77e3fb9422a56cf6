package txn

import (
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// EachImplicit calls visit for each event above the watermark, in their order, with the number of
// its recipients and the numbers of those that have an implicit delivery. visit must not keep nums.
// It decodes the recipients alone and not the bodies. It returns [store.ErrCorrupt] if a record
// that decides can't be read: memory must not begin with a guess.
func (t *Tx) EachImplicit(visit func(seq uint64, recipients int, nums []uint64)) error {
	key := record.Key1(t.Pending.Watermark + 1)
	var implicit []uint64
	exists := make(map[uint64]bool) // few subscriptions have many of the deliveries
	c := t.Bucket(buckets.Events).Cursor()
	for k, v := c.Seek(key[:]); k != nil; k, v = c.Next() {
		packed, err := record.DecodeRecipients(k, v)
		if err != nil {
			return err
		}
		nums, err := record.UnpackAll(packed)
		if err != nil {
			return err
		}
		seq := record.KeyNumber(k, 0)
		implicit = implicit[:0]
		for _, num := range nums {
			if _, known := exists[num]; !known {
				exists[num] = t.Subs.Exists(num)
			}
			if !exists[num] {
				continue
			}
			// Memory must have each implicit delivery and no other: one too many is an attempt that
			// must not be, one too few is never made.
			is, err := t.Pending.IsImplicit(num, seq)
			if err != nil {
				return err
			}
			if is {
				implicit = append(implicit, num)
			}
		}
		visit(seq, len(nums), implicit)
	}
	return nil
}
