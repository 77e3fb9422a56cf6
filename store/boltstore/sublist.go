package boltstore

import (
	"bytes"
	"context"
	"fmt"
	"math"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
)

// sliceSize is how many records are read in one transaction of a listing.
const sliceSize = 256

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
	limit := q.Limit
	if limit == 0 {
		limit = math.MaxInt
	}
	walk := walker[store.Subscription](func(from spot, d direction, visit func(item[store.Subscription]) bool) error {
		return s.walkSubscriptions(ctx, &q, from, d, visit)
	})
	if page, _, err = walk.page(q.Cursor, spot{}, limit); err != nil {
		return page, err
	}
	err = s.read(func(t *txn) error {
		n, err := t.countOf(&q)
		page.Total = int(n)
		return err
	})
	return page, err
}

// countOf returns how many subscriptions q selects.
func (t *txn) countOf(q *store.SubscriptionQuery) (uint64, error) {
	if q.AnyTenant {
		return t.metaNumber(metaCount)
	}
	return t.number(tenants, tenantPrefix(q.Tenant))
}

func (s *Store) walkSubscriptions(ctx context.Context, q *store.SubscriptionQuery, from spot, d direction, visit func(item[store.Subscription]) bool) error {
	for more := true; more; {
		if err := s.check(ctx); err != nil {
			return err
		}
		var slice []item[store.Subscription]
		err := s.read(func(t *txn) (err error) {
			slice, more, err = t.subscriptionSlice(q, from, d)
			return err
		})
		if err != nil {
			return err
		}
		for _, i := range slice {
			if !visit(i) {
				return nil
			}
			if from = i.spot; d == forward {
				from = from.next()
			}
		}
	}
	return nil
}

// subscriptionSlice reads some of the subscriptions that q selects.
func (t *txn) subscriptionSlice(q *store.SubscriptionQuery, from spot, d direction) (slice []item[store.Subscription], more bool, err error) {
	id, prefix := tenants, tenantPrefix(q.Tenant)
	if q.AnyTenant {
		id, prefix = subs, nil
	}
	c := t.bucket(id).Cursor()
	for k := range keysFrom(c, prefix, from.num, d) {
		if len(slice) == sliceSize {
			return slice, true, nil
		}
		num := number(k[len(prefix):], 0)
		sub, err := t.sub(num)
		if err != nil {
			return nil, false, err
		}
		if sub != nil {
			slice = append(slice, item[store.Subscription]{spot{0, num}, *sub})
		}
	}
	return slice, false, nil
}

// keysFrom iterates over the keys that are a prefix and a number: from n on, or from before n down.
func keysFrom(c *bolt.Cursor, prefix []byte, n uint64, d direction) func(yield func(k []byte) bool) {
	return func(yield func(k []byte) bool) {
		num := key1(n)
		start := append(bytes.Clone(prefix), num[:]...)
		k, _ := c.Seek(start)
		if d == backward {
			if k == nil {
				k, _ = c.Last()
			} else {
				k, _ = c.Prev()
			}
		}
		for len(k) == len(start) && bytes.HasPrefix(k, prefix) && yield(k) {
			if d == backward {
				k, _ = c.Prev()
			} else {
				k, _ = c.Next()
			}
		}
	}
}
