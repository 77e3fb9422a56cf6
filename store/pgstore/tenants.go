package pgstore

import (
	"context"

	"github.com/outhook/outhook/store"
)

var _ store.TenantMover = (*Store)(nil)

// TenantStates implements [store.TenantMover].
func (s *Store) TenantStates(ctx context.Context) (map[string]store.TenantState, error) {
	return call(ctx, s, "tenant states", nil, func() (map[string]store.TenantState, error) {
		return s.tenants.States(ctx)
	})
}

// SetTenantState implements [store.TenantMover]. It holds for every replica.
//
// To close a tenant takes some short transactions. It waits for transactions of the host's that
// have published for the tenant, 30 s at most, and keeps nobody else waiting. A transaction of the
// host's at a higher isolation level than READ COMMITTED that began before, and publishes after it,
// gets [store.ErrMoved], whichever tenant it publishes for.
func (s *Store) SetTenantState(
	ctx context.Context, tenant string, state store.TenantState,
) error {
	return s.run(ctx, "set tenant state", func() error {
		return s.tenants.SetState(ctx, tenant, state)
	})
}

// ExportTenant implements [store.TenantMover].
func (s *Store) ExportTenant(
	ctx context.Context, tenant, cursor string, limit int,
) (store.TenantPart, error) {
	return call(ctx, s, "export tenant", nil, func() (store.TenantPart, error) {
		return s.tenants.Export(ctx, tenant, cursor, limit)
	})
}

// ImportTenant implements [store.TenantMover].
func (s *Store) ImportTenant(ctx context.Context, tenant string, part store.TenantPart) error {
	return s.run(ctx, "import tenant", func() error {
		return s.tenants.Import(ctx, tenant, &part)
	})
}

// RemoveTenant implements [store.TenantMover]. The records go in Prune, as those of any
// subscription that is deleted.
func (s *Store) RemoveTenant(ctx context.Context, tenant string) (more bool, err error) {
	return call(ctx, s, "remove tenant", nil, func() (bool, error) {
		return s.tenants.Remove(ctx, tenant)
	})
}
