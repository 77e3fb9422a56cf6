package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// CountPending implements [store.History].
func (s *Store) CountPending(ctx context.Context, tenant string, limit int) (int, error) {
	err := s.erasures.ResumeAll(ctx) // until then their deliveries are counted
	n := 0
	if err == nil {
		n, err = s.statistics.pendingOf(ctx, tenant)
	}
	if err != nil {
		return 0, fmt.Errorf("boltstore: count pending: %w", err)
	}
	return min(n, max(limit, 0)), nil
}

// pendingOf returns how many deliveries of a tenant are pending. The loop ends, since each pass
// takes some out of the unknown, and only an opening puts many in. After that a call costs one look
// at a map.
func (x *statistics) pendingOf(ctx context.Context, tenant string) (int, error) {
	for {
		if err := x.db.Check(ctx); err != nil {
			return 0, err
		}
		x.db.Lock()
		n, unknown := x.db.Memory.TenantPending(tenant, scan.SliceSize)
		x.db.Unlock()
		if len(unknown) == 0 {
			return n, nil
		}
		if err := x.learnTenants(ctx, unknown); err != nil {
			return 0, err
		}
	}
}

// learnTenants reads whose subscriptions these are. A tenant never changes, so what is read holds,
// however much has been committed meanwhile. A subscription that is gone has left memory by now, or
// does so when the effects of its deletion are applied.
func (x *statistics) learnTenants(ctx context.Context, nums []uint64) error {
	tenants := make([]*string, len(nums)) // nil if the record can't be read
	err := x.db.Read(ctx, func(t *txn.Tx) error {
		for i, num := range nums {
			// One that can't be read counts for nobody; an error here would take the quota of all
			// tenants away.
			if sub, err := t.Subs.Get(num); err == nil && sub != nil {
				tenants[i] = &sub.Tenant
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	x.db.Lock()
	defer x.db.Unlock()
	for i, num := range nums {
		if tenants[i] == nil {
			x.db.Memory.LearnTenant(num, "", false)
		} else {
			x.db.Memory.LearnTenant(num, *tenants[i], true)
		}
	}
	return nil
}
