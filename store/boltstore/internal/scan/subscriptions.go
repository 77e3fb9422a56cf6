package scan

import (
	"bytes"

	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/txn"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/page"
	bolt "go.etcd.io/bbolt"
)

// SliceSize is how many records are read in one transaction of a listing. It bounds how long the
// transaction lasts, and what a listing that ends early has read in vain.
const SliceSize = 256

// sliceBytes is about how many bytes of records are read in one transaction of a listing: they may
// be as large as their owner makes them, and what is read in vain is in memory all the same.
const sliceBytes = 1 << 20

// NumberedSubscription is a subscription with its number.
type NumberedSubscription struct {
	Num   uint64
	Sub   store.Subscription
	Bytes int // of its record
}

// Subscriptions reads some of the subscriptions of the tenant that q names, or of all, and appends
// them to slice; filters are for the caller. more says that there may be others behind the last. It
// returns [store.ErrCorrupt] if one can't be read.
//
// A tenant has a list of its own, so that a page of it does not read the subscriptions of others.
func Subscriptions(
	t *txn.Tx, q *store.SubscriptionQuery, from page.Cursor, slice []NumberedSubscription,
) (_ []NumberedSubscription, more bool, err error) {
	id, prefix := buckets.Tenants, record.TenantPrefix(q.Tenant)
	if q.AnyTenant {
		id, prefix = buckets.Subscriptions, nil
	}
	most, bytesRead := SliceSize, 0
	if q.Limit > 0 && !q.Filtered() {
		most = min(SliceSize, q.Limit+1) // one more says that there is another page
	}
	c := t.Bucket(id).Cursor()
	for k := range keysFrom(c, prefix, from.At.Num, from.Back) {
		if len(slice) == most || bytesRead > sliceBytes {
			return slice, true, nil
		}
		num := record.KeyNumber(k[len(prefix):], 0)
		key := record.Key1(num)
		v := t.Get(buckets.Subscriptions, key[:])
		if v == nil {
			continue
		}
		bytesRead += len(v)
		slice = append(slice, NumberedSubscription{Num: num, Bytes: len(v)})
		if err := record.DecodeSubscriptionInto(&slice[len(slice)-1].Sub, key[:], v); err != nil {
			return nil, false, err
		}
	}
	return slice, false, nil
}

// keysFrom iterates over the keys that are a prefix and a number: up from n on, or down from below
// n.
func keysFrom(c *bolt.Cursor, prefix []byte, n uint64, down bool) func(yield func(k []byte) bool) {
	return func(yield func(k []byte) bool) {
		num, lowest := record.Key1(n), record.Key1(0)
		start := append(bytes.Clone(prefix), num[:]...)
		if down {
			for k := range boltfile.Descend(c, append(bytes.Clone(prefix), lowest[:]...), start) {
				if !yield(k) {
					return
				}
			}
			return
		}
		for k, _ := c.Seek(start); len(k) == len(start) && bytes.HasPrefix(k, prefix) && yield(k); {
			k, _ = c.Next()
		}
	}
}
