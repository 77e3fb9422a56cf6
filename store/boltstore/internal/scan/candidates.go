package scan

import (
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// Candidates returns the subscriptions, in ascending order, that have all the deliveries that a
// query selects; ok is false if there are more than MaxMerged, or if they can't be told. pending
// are those that memory knows to have something pending; they are needed if NeedsPending says so.
func Candidates(
	t *txn.Tx, q *store.DeliveryQuery, pending []uint64,
) (nums []uint64, ok bool, err error) {
	if !q.AnyTenant {
		n, err := t.Subs.CountOf(&store.SubscriptionQuery{Tenant: q.Tenant})
		if err != nil {
			return nil, false, err
		}
		if n <= MaxMerged {
			return TenantNumbers(t, q.Tenant, MaxMerged), true, nil
		}
	}
	if len(q.States) == 0 || slices.Contains(q.States, store.Delivered) {
		return nil, false, nil // most subscriptions have something
	}
	nums, ok = inStates(t, q)
	if !ok {
		return nil, false, nil
	}
	nums = append(nums, pending...)
	slices.Sort(nums)
	nums = slices.Compact(nums)
	if !q.AnyTenant {
		c := t.Bucket(buckets.Tenants).Cursor()
		nums = slices.DeleteFunc(nums, func(num uint64) bool {
			key := record.TenantKey(q.Tenant, num)
			k, _ := c.Seek(key)
			return string(k) != string(key)
		})
	}
	return nums, len(nums) <= MaxMerged, nil
}

// Selective reports whether a query selects by tenant or by a state that few deliveries have, so
// that few subscriptions may have all of them.
func Selective(q *store.DeliveryQuery) bool {
	return !q.AnyTenant || len(q.States) > 0 && !slices.Contains(q.States, store.Delivered)
}

// NeedsPending reports whether what is pending can be among what a query selects. A mark cancels
// what its records still call pending, so it is if the query asks for what is canceled.
func NeedsPending(q *store.DeliveryQuery) bool {
	return len(q.States) == 0 || slices.Contains(q.States, store.Pending) ||
		slices.Contains(q.States, store.Canceled)
}

// TenantNumbers returns the numbers of a tenant's subscriptions, at most limit.
func TenantNumbers(t *txn.Tx, tenant string, limit int) (nums []uint64) {
	prefix := record.TenantPrefix(tenant)
	for k := range keysFrom(t.Bucket(buckets.Tenants).Cursor(), prefix, 0, false) {
		if len(nums) == limit {
			break
		}
		nums = append(nums, record.KeyNumber(k[len(prefix):], 0))
	}
	return nums
}

// inStates returns the subscriptions that have deliveries in the states that a query asks for, by
// the index of states. ok is false if it would have to look at too many.
//
// It takes one or two steps for each subscription that has anything in the index: the keys of a
// subscription are together, those of a state in them too.
func inStates(t *txn.Tx, q *store.DeliveryQuery) (nums []uint64, ok bool) {
	codes := make([]uint64, 0, 4)
	for _, state := range store.States() {
		asked := slices.Contains(q.States, state)
		// See NeedsPending.
		if asked || state == store.Pending && slices.Contains(q.States, store.Canceled) {
			codes = append(codes, record.StateCode(state))
		}
	}
	c := t.Bucket(buckets.States).Cursor()
	num := uint64(0)
	for range MaxMerged {
		from := record.Key1(num)
		k, _ := c.Seek(from[:])
		if k == nil {
			return nums, true
		}
		num = record.KeyNumber(k, 0)
		for _, code := range codes {
			from := record.Key2(num, code)
			k, _ := c.Seek(from[:])
			if record.InSubscription(k, num) && record.KeyNumber(k, 1) == code {
				nums = append(nums, num)
				break
			}
		}
		num++
	}
	return nil, false
}
