package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
)

var _ store.TenantMover = (*Store)(nil)

// TenantStates implements [store.TenantMover].
func (s *Store) TenantStates(ctx context.Context) (map[string]store.TenantState, error) {
	states, err := s.mover.TenantStates(ctx)
	if err != nil {
		return nil, fmt.Errorf("boltstore: tenant states: %w", err)
	}
	return states, nil
}

// SetTenantState implements [store.TenantMover].
func (s *Store) SetTenantState(ctx context.Context, tenant string, st store.TenantState) error {
	if err := s.mover.SetTenantState(ctx, tenant, st); err != nil {
		return fmt.Errorf("boltstore: set tenant state: %w", err)
	}
	return nil
}

// ExportTenant implements [store.TenantMover].
func (s *Store) ExportTenant(
	ctx context.Context, tenant, cursor string, limit int,
) (store.TenantPart, error) {
	part, err := s.mover.ExportTenant(ctx, tenant, cursor, limit)
	if err != nil {
		return store.TenantPart{}, fmt.Errorf("boltstore: export tenant: %w", err)
	}
	return part, nil
}

// ImportTenant implements [store.TenantMover].
func (s *Store) ImportTenant(ctx context.Context, tenant string, part store.TenantPart) error {
	if err := s.mover.ImportTenant(ctx, tenant, part); err != nil {
		return fmt.Errorf("boltstore: import tenant: %w", err)
	}
	return nil
}

// RemoveTenant implements [store.TenantMover].
func (s *Store) RemoveTenant(ctx context.Context, tenant string) (more bool, err error) {
	if more, err = s.mover.RemoveTenant(ctx, tenant); err != nil {
		return false, fmt.Errorf("boltstore: remove tenant: %w", err)
	}
	return more, nil
}
