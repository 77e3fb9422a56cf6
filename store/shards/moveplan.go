package shards

import (
	"context"
	"errors"
	"fmt"

	"github.com/outhook/outhook/store"
)

// party is one of the stores of a move.
type party struct {
	*shard
	store.TenantMover
	state store.TenantState // what it says of the tenant, on its disk
}

// party returns a shard as a party of a move, with what it says now.
func (m *move) party(ctx context.Context, sh *shard) (party, error) {
	mover, ok := sh.Store.(store.TenantMover)
	if !ok {
		return party{}, fmt.Errorf("store %d, a %T, can't move tenants; "+
			"Move works between stores that are a store.TenantMover", sh.index, sh.Store)
	}
	m.homes.outdated(sh) // another process may have moved it
	st, err := m.homes.stateAt(ctx, sh, m.tenant)
	return party{sh, mover, st}, err
}

// plan finds where the tenant is, and what was begun with it. It follows the stores' word from the
// one that pick says, each of which says where the tenant went.
func (m *move) plan(ctx context.Context, to *shard) error {
	at, err := m.homes.picked(m.tenant)
	if err != nil {
		return err
	}
	if m.to, err = m.party(ctx, to); err != nil {
		return err
	}
	// Each step leads to another store, so a way that is longer than there are stores goes round.
	for range len(m.shards) + 1 {
		here, err := m.party(ctx, at)
		if err != nil {
			return err
		}
		if here.state.Phase == store.TenantSettled {
			m.from = here
			return nil
		}
		sh, err := m.homes.peer(at, m.tenant, here.state)
		if err != nil {
			return err
		}
		there, err := m.party(ctx, sh)
		if err != nil {
			return err
		}
		// A move that was cut off while the tenant was closed comes first, wherever it was going:
		// until it has ended or is undone, neither store can take the tenant or give it.
		if underWay(at, here.state, sh, there.state) != nil {
			return m.resume(ctx, here, there)
		}
		// It has left, and the host crashed before what it has left was removed.
		if here.state.Phase == store.TenantLeaving {
			m.leftover = append(m.leftover, here)
		}
		at = sh
	}
	return errors.New("the stores disagree about where it is; " +
		"they must be those that it was moved between, in the same order")
}

// resume plans to go on with a move that was cut off while the tenant was closed. If it was to
// another store, the tenant is opened again where it was.
func (m *move) resume(ctx context.Context, a, b party) error {
	if b.state.Phase == store.TenantLeaving {
		a, b = b, a
	}
	// Closed: there is nothing to drain, as nothing was claimed since.
	m.from, m.closed = a, true
	if b.shard == m.to.shard {
		return nil
	}
	// The other store keeps what was copied to it, and says that the tenant is arriving: a later move
	// to there removes it first.
	m.closed = false
	return m.set(ctx, &m.from, store.TenantState{})
}
