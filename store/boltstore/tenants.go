package boltstore

import (
	"context"
	"fmt"
	"strconv"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

var _ store.TenantMover = (*Store)(nil)

// removeStep is how many subscriptions one RemoveTenant removes.
const removeStep = 100

// checkTenant returns [store.ErrMoved] if a tenant is closed.
func (d *database) checkTenant(ctx context.Context, tenant string) error {
	if err := d.check(ctx); err != nil {
		return err
	}
	return d.read(ctx, func(t *txn.Tx) error { return t.CheckTenant(tenant) })
}

// TenantStates implements [store.TenantMover].
func (s *Store) TenantStates(ctx context.Context) (states map[string]store.TenantState, err error) {
	if err = s.db.check(ctx); err == nil {
		err = s.db.read(ctx, func(t *txn.Tx) (err error) {
			states, err = t.TenantStates()
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("boltstore: tenant states: %w", err)
	}
	return states, nil
}

// SetTenantState implements [store.TenantMover].
func (s *Store) SetTenantState(ctx context.Context, tenant string, st store.TenantState) error {
	err := s.db.check(ctx)
	if err == nil {
		err = s.commits.submit(ctx, &op{
			run: func(t *txn.Tx) error { return t.SetTenantState(tenant, st) },
		})
	}
	if err != nil {
		return fmt.Errorf("boltstore: set tenant state: %w", err)
	}
	return nil
}

// ExportTenant implements [store.TenantMover].
func (s *Store) ExportTenant(
	ctx context.Context, tenant, cursor string, limit int,
) (part store.TenantPart, err error) {
	if cursor == "" {
		part, err = s.exportSubscriptions(ctx, tenant)
	} else {
		part, err = s.exportEvents(ctx, tenant, cursor, limit)
	}
	if err != nil {
		return store.TenantPart{}, fmt.Errorf("boltstore: export tenant: %w", err)
	}
	return part, nil
}

func (s *Store) exportSubscriptions(
	ctx context.Context, tenant string,
) (part store.TenantPart, err error) {
	found, err := s.Subscriptions(ctx, store.SubscriptionQuery{Tenant: tenant})
	if err != nil {
		return part, err
	}
	part.Next = "0"
	part.Subscriptions = make([]store.TenantSubscription, len(found.Items))
	return part, s.db.read(ctx, func(t *txn.Tx) error {
		for i := range found.Items {
			num, err := t.Subs.Number(found.Items[i].ID)
			if err != nil {
				return err
			}
			part.Subscriptions[i] = store.TenantSubscription{
				Subscription: found.Items[i], Health: *t.Subs.Health(num),
			}
		}
		return nil
	})
}

func (s *Store) exportEvents(
	ctx context.Context, tenant, cursor string, limit int,
) (part store.TenantPart, err error) {
	from, err := strconv.ParseUint(cursor, 10, 64)
	if err != nil {
		return part, &events.InvalidError{Field: "cursor",
			Reason: "is none of this store; pass one that an earlier part has"}
	}
	if err := s.erasures.resumeAll(ctx); err != nil {
		return part, err
	}
	f := scan.TenantSearch{Tenant: tenant, From: from, Limit: limit}
	for more := true; more; {
		if err := s.db.check(ctx); err != nil {
			return part, err
		}
		err := s.db.readStep(ctx, func(t *txn.Tx) (err error) {
			more, err = f.Read(t)
			return err
		})
		if err != nil {
			return part, err
		}
	}
	part.Events = f.Found
	if f.Full {
		part.Next = strconv.FormatUint(f.From, 10)
	}
	return part, nil
}

// ImportTenant implements [store.TenantMover].
func (s *Store) ImportTenant(ctx context.Context, tenant string, part store.TenantPart) error {
	err := s.db.check(ctx)
	if err == nil {
		err = s.commits.submit(ctx, &op{
			run: func(t *txn.Tx) error { return t.ImportTenant(tenant, &part) },
		})
	}
	if err != nil {
		return fmt.Errorf("boltstore: import tenant: %w", err)
	}
	return nil
}

// RemoveTenant implements [store.TenantMover]. The records go in Prune, as those of any
// subscription that is deleted.
func (s *Store) RemoveTenant(ctx context.Context, tenant string) (more bool, err error) {
	var nums []uint64
	if err = s.db.check(ctx); err == nil {
		err = s.db.read(ctx, func(t *txn.Tx) error {
			nums = scan.TenantNumbers(t, tenant, removeStep)
			return nil
		})
	}
	if err == nil && len(nums) > 0 {
		err = s.commits.submit(ctx, &op{
			run: func(t *txn.Tx) error { return t.RemoveSubscriptions(nums) },
		})
	}
	if err != nil {
		return false, fmt.Errorf("boltstore: remove tenant: %w", err)
	}
	return len(nums) == removeStep, nil
}
