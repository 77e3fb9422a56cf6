package txn

import "github.com/outhook/outhook/store/boltstore/internal/record"

// EachBacklog calls visit for each subscription that has a backlog.
func (t *Tx) EachBacklog(visit func(num uint64, b *record.Backlog)) error {
	c := t.Bucket(BucketBacklogs).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		b, err := record.DecodeBacklog(k, v)
		if err != nil {
			return err
		}
		visit(record.KeyNumber(k, 0), b)
	}
	return nil
}

// EachImplicit calls visit for each event above the watermark, in their order, with the number of
// its recipients and those for whom its delivery is implicit. visit must not keep nums.
func (t *Tx) EachImplicit(visit func(seq uint64, recipients int, nums []uint64)) error {
	key := record.Key1(t.Pending.Watermark + 1)
	var implicit []uint64
	exists := make(map[uint64]bool) // few subscriptions have many of the deliveries
	c := t.Bucket(BucketEvents).Cursor()
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
			is, err := t.isImplicit(num, seq)
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

// isImplicit reports whether the delivery of an event above the watermark has neither a row nor a
// place in a chunk.
func (t *Tx) isImplicit(num, seq uint64) (bool, error) {
	key := record.Key2(num, seq)
	if t.Get(BucketRows, key[:]) != nil {
		return false, nil
	}
	if seq > t.Pending.Rising {
		return true, nil
	}
	b, err := t.Pending.Backlog(num)
	if err != nil || !b.Chunks {
		return err == nil, err
	}
	chunked, err := t.Pending.InChunk(num, seq)
	return !chunked, err
}
