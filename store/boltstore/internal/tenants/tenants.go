package tenants

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/database"
	"github.com/outhook/outhook/store/boltstore/internal/erase"
	"github.com/outhook/outhook/store/boltstore/internal/listing"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
)

// Mover moves tenants out of a store and into it. Make one with [New]. It is safe for concurrent
// use. Its methods are those of [store.TenantMover].
type Mover struct {
	db       *database.DB
	lists    *listing.Lister // for the subscriptions of a tenant
	erasures *erase.Eraser   // what is being erased must not move
}

// New returns a Mover of a store.
func New(db *database.DB, lists *listing.Lister, erasures *erase.Eraser) *Mover {
	return &Mover{db, lists, erasures}
}

// removeStep is how many subscriptions one RemoveTenant removes.
const removeStep = 100

// TenantStates returns the tenants that have a state.
func (m *Mover) TenantStates(
	ctx context.Context,
) (states map[string]store.TenantState, err error) {
	err = m.db.Read(ctx, func(t *txn.Tx) (err error) {
		states, err = t.TenantStates()
		return err
	})
	return states, err
}

// SetTenantState sets the state of a tenant.
func (m *Mover) SetTenantState(ctx context.Context, tenant string, st store.TenantState) error {
	if err := m.db.Check(ctx); err != nil {
		return err
	}
	return m.db.Write(ctx, func(t *txn.Tx) error { return t.SetTenantState(tenant, st) })
}

// ExportTenant returns a part of a tenant: first its subscriptions, then its events.
func (m *Mover) ExportTenant(
	ctx context.Context, tenant, cursor string, limit int,
) (store.TenantPart, error) {
	if cursor == "" {
		return m.exportSubscriptions(ctx, tenant)
	}
	return m.exportEvents(ctx, tenant, cursor, limit)
}

func (m *Mover) exportSubscriptions(
	ctx context.Context, tenant string,
) (part store.TenantPart, err error) {
	found, err := m.lists.Subscriptions(ctx, &store.SubscriptionQuery{Tenant: tenant})
	if err != nil {
		return part, err
	}
	part.Next = page.Cursor{Back: true}.String() // before the first event
	part.Subscriptions = make([]store.TenantSubscription, len(found.Items))
	return part, m.db.Read(ctx, func(t *txn.Tx) error {
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

func (m *Mover) exportEvents(
	ctx context.Context, tenant, cursor string, limit int,
) (part store.TenantPart, err error) {
	if err := m.erasures.ResumeAll(ctx); err != nil {
		return part, err
	}
	seqs, next, err := m.lists.TenantEvents(ctx, &listing.EventQuery{
		Tenant: tenant, Cursor: cursor, Limit: limit, Deliveries: maxExported,
	})
	if err != nil {
		return part, err
	}
	x := exporting{seqs: seqs}
	for more := true; more; {
		err := m.db.ReadStep(ctx, func(t *txn.Tx) (err error) {
			more, err = x.read(t)
			return err
		})
		if err != nil {
			return part, err
		}
	}
	part.Events, part.Next = x.found, next
	return part, nil
}

// ImportTenant stores a part of a tenant.
func (m *Mover) ImportTenant(ctx context.Context, tenant string, part store.TenantPart) error {
	if err := m.db.Check(ctx); err != nil {
		return err
	}
	return m.db.Write(ctx, func(t *txn.Tx) error { return importPart(t, tenant, &part) })
}

// RemoveTenant takes one step of removing a tenant's subscriptions. The records go in Prune, as
// those of any subscription that is deleted.
func (m *Mover) RemoveTenant(ctx context.Context, tenant string) (more bool, err error) {
	var nums []uint64
	err = m.db.Read(ctx, func(t *txn.Tx) error {
		nums = scan.TenantNumbers(t, tenant, removeStep)
		return nil
	})
	if err == nil && len(nums) > 0 {
		err = m.db.Write(ctx, func(t *txn.Tx) error { return removeSubscriptions(t, nums) })
	}
	return err == nil && len(nums) == removeStep, err
}
