package boltstore

import (
	"bytes"
	"context"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/internal/page"
)

// sliceSize is how many records are read in one transaction of a listing.
const sliceSize = 256

// allSlack is how many subscriptions more than there were a listing of all may find: of those that
// come while it reads, the others have a page of their own.
const allSlack = 1024

// Subscriptions implements [store.Subscriptions].
func (s *Store) Subscriptions(
	ctx context.Context, q store.SubscriptionQuery,
) (store.Page[store.Subscription], error) {
	found, err := s.subscriptions(ctx, &q)
	if err != nil {
		return store.Page[store.Subscription]{}, fmt.Errorf("boltstore: subscriptions: %w", err)
	}
	return found, nil
}

func (s *Store) subscriptions(
	ctx context.Context, q *store.SubscriptionQuery,
) (found store.Page[store.Subscription], err error) {
	if err := q.Validate(); err != nil {
		return found, err
	}
	if err := s.check(ctx); err != nil {
		return found, err
	}
	total := 0
	err = s.read(ctx, func(t *txn) error {
		n, err := t.countOf(q)
		total = int(n)
		return err
	})
	if err != nil {
		return found, err
	}
	limit := page.LimitOrAll(q.Limit)
	if limit == 0 {
		limit = total + allSlack
	}
	found, err = s.walkSubscriptions(ctx, q).Page(q.Cursor, limit, total)
	found.Total = total
	return found, err
}

// countOf returns how many subscriptions q selects.
func (t *txn) countOf(q *store.SubscriptionQuery) (uint64, error) {
	if q.AnyTenant {
		return t.metaNumber(metaCount)
	}
	return t.number(tenants, tenantPrefix(q.Tenant))
}

// listed is a subscription with its number.
type listed struct {
	num uint64
	sub store.Subscription
}

// walkSubscriptions returns a walk of the subscriptions that q selects.
func (s *Store) walkSubscriptions(
	ctx context.Context, q *store.SubscriptionQuery,
) page.Walk[store.Subscription] {
	return func(from page.Cursor, visit func(page.Position, *store.Subscription) bool) error {
		var slice []listed
		for more := true; more; {
			if err := s.check(ctx); err != nil {
				return err
			}
			err := s.read(ctx, func(t *txn) (err error) {
				slice, more, err = t.subscriptionSlice(q, from, slice[:0])
				return err
			})
			if err != nil {
				return err
			}
			for i := range slice {
				at := page.Position{Num: slice[i].num}
				if !visit(at, &slice[i].sub) {
					return nil
				}
				from = from.Pass(at)
			}
		}
		return nil
	}
}

// subscriptionSlice reads some of the subscriptions that q selects, and appends them to slice.
func (t *txn) subscriptionSlice(
	q *store.SubscriptionQuery, from page.Cursor, slice []listed,
) (_ []listed, more bool, err error) {
	id, prefix := tenants, tenantPrefix(q.Tenant)
	if q.AnyTenant {
		id, prefix = subs, nil
	}
	c := t.bucket(id).Cursor()
	for k := range keysFrom(c, prefix, from.At.Num, from.Back) {
		if len(slice) == sliceSize {
			return slice, true, nil
		}
		num := number(k[len(prefix):], 0)
		key := key1(num)
		v := t.get(subs, key[:])
		if v == nil {
			continue
		}
		slice = append(slice, listed{num: num})
		if err := decodeSubscriptionInto(&slice[len(slice)-1].sub, key[:], v); err != nil {
			return nil, false, err
		}
	}
	return slice, false, nil
}

// keysFrom iterates over the keys that are a prefix and a number: up from n on, or down from below
// n.
func keysFrom(c *bolt.Cursor, prefix []byte, n uint64, down bool) func(yield func(k []byte) bool) {
	return func(yield func(k []byte) bool) {
		num, lowest := key1(n), key1(0)
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
