package boltstore

import (
	"bytes"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/page"
)

// sliceSize is how many records are read in one transaction of a listing.
const sliceSize = 256

// countOf returns how many subscriptions q selects.
func (x *subscriptions) countOf(q *store.SubscriptionQuery) (uint64, error) {
	if q.AnyTenant {
		return x.metaNumber(metaCount)
	}
	return x.base.number(BucketTenants, record.TenantPrefix(q.Tenant))
}

// listed is a subscription with its number.
type listed struct {
	num uint64
	sub store.Subscription
}

// subscriptionSlice reads some of the subscriptions that q selects, and appends them to slice.
func (t *txn) subscriptionSlice(
	q *store.SubscriptionQuery, from page.Cursor, slice []listed,
) (_ []listed, more bool, err error) {
	id, prefix := BucketTenants, record.TenantPrefix(q.Tenant)
	if q.AnyTenant {
		id, prefix = BucketSubscriptions, nil
	}
	c := t.bucket(id).Cursor()
	for k := range keysFrom(c, prefix, from.At.Num, from.Back) {
		if len(slice) == sliceSize {
			return slice, true, nil
		}
		num := record.KeyNumber(k[len(prefix):], 0)
		key := record.Key1(num)
		v := t.get(BucketSubscriptions, key[:])
		if v == nil {
			continue
		}
		slice = append(slice, listed{num: num})
		if err := record.DecodeSubscriptionInto(&slice[len(slice)-1].sub, key[:], v); err != nil {
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
