package shards

import (
	"context"

	"github.com/outhook/outhook/store"
)

// moveStep is how many events are copied at a time: few enough that their commit, which other
// tenants of the store wait for, is a short one.
const moveStep = 500

// copy copies the tenant. What an earlier Move has copied may be outdated, and is removed first.
func (m *move) copy(ctx context.Context) error {
	if err := m.remove(ctx, &m.to); err != nil {
		return err
	}
	for cursor := ""; ; {
		part, err := m.from.ExportTenant(ctx, m.tenant, cursor, moveStep)
		if err != nil {
			return m.from.wrap(err)
		}
		// In the order in which they were enqueued, which is that of delivery. The store that the
		// tenant goes to numbers them anew.
		if err := m.to.ImportTenant(ctx, m.tenant, part); err != nil {
			return m.to.wrap(err)
		}
		if cursor = part.Next; cursor == "" {
			return nil
		}
	}
}

// remove removes, step by step so that no commit is long, all that a store has of the tenant.
func (m *move) remove(ctx context.Context, p *party) error {
	for more := true; more; {
		var err error
		if more, err = p.RemoveTenant(ctx, m.tenant); err != nil {
			return p.wrap(err)
		}
	}
	return nil
}

// removeLeftover removes what is left in stores that the tenant has left. They keep saying where it
// is.
func (m *move) removeLeftover(ctx context.Context) error {
	for i := range m.leftover {
		p := &m.leftover[i]
		if err := m.remove(ctx, p); err != nil {
			return err
		}
		gone := store.TenantState{Phase: store.TenantGone, Peer: p.state.Peer}
		if err := m.set(ctx, p, gone); err != nil {
			return err
		}
	}
	m.leftover = nil
	return nil
}
