package boltstore

import (
	"bytes"
	"context"
	"fmt"

	"github.com/outhook/outhook/store/boltstore/internal/record"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	bolt "go.etcd.io/bbolt"
)

// sliceSize is how many records are read in one transaction of a listing.
const sliceSize = 256

// allSlack is how many subscriptions more than there were a listing of all may find: of those that come
// while it reads, the others have a page of their own.
const allSlack = 1024

// Subscriptions implements [store.Subscriptions].
func (s *Store) Subscriptions(ctx context.Context, q store.SubscriptionQuery) (store.Page[store.Subscription], error) {
	page, err := s.subscriptions(ctx, q)
	if err != nil {
		return store.Page[store.Subscription]{}, fmt.Errorf("boltstore: subscriptions: %w", err)
	}
	return page, nil
}

func (s *Store) subscriptions(ctx context.Context, q store.SubscriptionQuery) (page store.Page[store.Subscription], err error) {
	if err := q.Validate(); err != nil {
		return page, err
	}
	if err := s.check(ctx); err != nil {
		return page, err
	}
	total := 0
	err = s.read(ctx, func(t *txn) error {
		n, err := t.countOf(&q)
		total = int(n)
		return err
	})
	if err != nil {
		return page, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = total + allSlack
	}
	walk := walker[store.Subscription](func(from spot, d direction, visit func(*item[store.Subscription]) bool) error {
		return s.walkSubscriptions(ctx, &q, from, d, visit)
	})
	page, err = walk.page(q.Cursor, spot{}, limit, min(limit, total))
	page.Total = total
	return page, err
}

// countOf returns how many subscriptions q selects.
func (t *txn) countOf(q *store.SubscriptionQuery) (uint64, error) {
	if q.AnyTenant {
		return t.metaNumber(metaCount)
	}
	return t.number(tenants, record.TenantPrefix(q.Tenant))
}

func (s *Store) walkSubscriptions(ctx context.Context, q *store.SubscriptionQuery, from spot, d direction, visit func(*item[store.Subscription]) bool) error {
	var slice []item[store.Subscription]
	for more := true; more; {
		if err := s.check(ctx); err != nil {
			return err
		}
		err := s.read(ctx, func(t *txn) (err error) {
			slice, more, err = t.subscriptionSlice(q, from, d, slice[:0])
			return err
		})
		if err != nil {
			return err
		}
		for i := range slice {
			if !visit(&slice[i]) {
				return nil
			}
			if from = slice[i].spot; d == forward {
				from = from.next()
			}
		}
	}
	return nil
}

// subscriptionSlice reads some of the subscriptions that q selects, and appends them to slice.
func (t *txn) subscriptionSlice(q *store.SubscriptionQuery, from spot, d direction, slice []item[store.Subscription]) (_ []item[store.Subscription], more bool, err error) {
	id, prefix := tenants, record.TenantPrefix(q.Tenant)
	if q.AnyTenant {
		id, prefix = subs, nil
	}
	c := t.bucket(id).Cursor()
	for k := range keysFrom(c, prefix, from.num, d) {
		if len(slice) == sliceSize {
			return slice, true, nil
		}
		num := record.KeyNumber(k[len(prefix):], 0)
		key := record.Key1(num)
		v := t.get(subs, key[:])
		if v == nil {
			continue
		}
		slice = append(slice, item[store.Subscription]{spot: spot{0, num}})
		if err := record.DecodeSubscriptionInto(&slice[len(slice)-1].value, key[:], v); err != nil {
			return nil, false, err
		}
	}
	return slice, false, nil
}

// keysFrom iterates over the keys that are a prefix and a number: from n on, or from before n down.
func keysFrom(c *bolt.Cursor, prefix []byte, n uint64, d direction) func(yield func(k []byte) bool) {
	return func(yield func(k []byte) bool) {
		num, lowest := record.Key1(n), record.Key1(0)
		start := append(bytes.Clone(prefix), num[:]...)
		if d == backward {
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
