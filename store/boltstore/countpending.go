package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// CountPending implements [store.History].
func (s *Store) CountPending(ctx context.Context, tenant string, limit int) (int, error) {
	n, err := s.tenantPending(ctx, tenant)
	if err != nil {
		return 0, fmt.Errorf("boltstore: count pending: %w", err)
	}
	return min(n, max(limit, 0)), nil
}

func (s *Store) tenantPending(ctx context.Context, tenant string) (int, error) {
	if err := s.resumeErasures(ctx); err != nil { // until then their deliveries are counted
		return 0, err
	}
	for {
		if err := s.check(ctx); err != nil {
			return 0, err
		}
		s.mu.Lock()
		n, unknown := s.memory.TenantPending(tenant, scan.SliceSize)
		s.unlock()
		if len(unknown) == 0 {
			return n, nil
		}
		if err := s.learnTenants(ctx, unknown); err != nil {
			return 0, err
		}
	}
}

// learnTenants reads whose subscriptions these are. A tenant never changes, so what is read holds,
// however much has been committed meanwhile. A subscription that is gone has left memory by now, or
// does so when the effects of its deletion are applied.
func (s *Store) learnTenants(ctx context.Context, nums []uint64) error {
	tenants := make([]*string, len(nums)) // nil if the record can't be read
	err := s.read(ctx, func(t *txn.Tx) error {
		for i, num := range nums {
			if sub, err := t.Subs.Get(num); err == nil && sub != nil {
				tenants[i] = &sub.Tenant
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.unlock()
	for i, num := range nums {
		if tenants[i] == nil {
			s.memory.LearnTenant(num, "", false)
		} else {
			s.memory.LearnTenant(num, *tenants[i], true)
		}
	}
	return nil
}
