package shards

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/calls"
)

// maxHops bounds how often a call looks for the shard of a tenant again because others move it at
// the same time.
const maxHops = 4

// startWait is how long New waits for what the stores say of tenants, and loadTime how long they
// are asked in the background.
const (
	startWait = time.Second
	loadTime  = 5 * time.Second
)

// stateAt returns what a shard says of a tenant.
func (h *homes) stateAt(ctx context.Context, sh *shard, tenant string) (store.TenantState, error) {
	for {
		if st, ok := h.state(sh, tenant); ok {
			return st, nil
		}
		// All states of the shard at once: they are few, and one read is as good as another.
		version := h.now()
		states := make(map[string]store.TenantState)
		if mover, ok := sh.Store.(store.TenantMover); ok {
			read, err := mover.TenantStates(ctx)
			if err != nil {
				return store.TenantState{}, sh.wrap(err)
			}
			maps.Copy(states, read)
		}
		// Before learn, which keeps the map: from then on set may write to it.
		st := states[tenant]
		// Not if anything has changed since the version: a Move of this Store may have set a state
		// after the shard has said the one before.
		ok, changed := h.learn(sh, states, version)
		if changed { // another process has moved a tenant; see locations.clear
			h.where.clear()
		}
		if ok {
			return st, nil
		}
	}
}

// load asks all shards of which the states are not current, at once. One that fails or hangs is
// asked again when a call needs it.
func (s *Store) load(ctx context.Context) {
	_, _ = calls.Each(ctx, s.calls, s.shards, func(ctx context.Context, sh *shard) (struct{}, error) {
		_, err := s.homes.stateAt(ctx, sh, "")
		return struct{}{}, err
	})
}

// freshen loads in the background, once at a time, for those who can't wait.
func (s *Store) freshen() {
	if !s.loading.CompareAndSwap(false, true) {
		return
	}
	if !s.calls.Start(func() {
		defer s.loading.Store(false)
		ctx, cancel := context.WithTimeout(s.calls.Context(), loadTime)
		defer cancel()
		s.load(ctx)
	}) {
		s.loading.Store(false)
	}
}

// access is what a call is about to do with a tenant.
type access bool

const (
	reads  access = false // or it concerns what was claimed
	writes access = true
)

// home returns the shard that has a tenant. A tenant that is being moved can be read where it was.
// Anybody who writes waits while a Move of this Store has it closed, for moveWait at most; a move
// that another process makes, or that was cut off, is a MovingError at once.
func (h *homes) home(ctx context.Context, tenant string, a access) (*shard, error) {
	if a == writes && len(h.shards) > 1 {
		if err := h.waitForMove(ctx, tenant); err != nil {
			return nil, err
		}
	}
	return h.find(ctx, tenant, a)
}

// find is home without waiting.
func (h *homes) find(ctx context.Context, tenant string, a access) (*shard, error) {
	if len(h.shards) == 1 {
		return h.shards[0], nil
	}
	sh, err := h.picked(tenant)
	if err != nil {
		return nil, err
	}
	// A tenant that has moved several times is found by several steps: each store that it has left
	// says where it went then.
	looked := false // at the shards, and not at what was known
	for range len(h.shards) + maxHops {
		st, err := h.stateAt(ctx, sh, tenant)
		if err != nil {
			return nil, err
		}
		if st.Phase == store.TenantSettled {
			return sh, nil
		}
		peer, err := h.peer(sh, tenant, st)
		if err != nil {
			return nil, err
		}
		// Only both together say whether it has moved: the one leaves before the other is settled.
		there, err := h.stateAt(ctx, peer, tenant)
		if err != nil {
			return nil, err
		}
		if moving := underWay(sh, st, peer, there); moving != nil {
			if looked && a == reads { // until it is settled in the other, it is whole in this one
				return h.shards[moving.From], nil
			}
			if looked {
				moving.Tenant = tenant
				return nil, moving
			}
			looked = true
			h.outdated(sh) // the move may have ended, in another process
			h.outdated(peer)
			continue
		}
		sh = peer // it has moved there, at least
	}
	// Others move it faster than we look.
	return nil, fmt.Errorf("shards: tenant %q: %w", tenant, store.ErrMoved)
}

// underWay returns the move of a tenant of which two shards say this; nil if it has not closed the
// tenant yet, or has ended. The tenant is closed in both from when it is leaving the one until it
// is settled in the other.
func underWay(a *shard, at store.TenantState, b *shard, bt store.TenantState) *MovingError {
	switch {
	case at.Phase == store.TenantLeaving && bt.Phase == store.TenantArriving:
		return &MovingError{From: a.index, To: b.index}
	case at.Phase == store.TenantArriving && bt.Phase == store.TenantLeaving && bt.Peer == a.index:
		return &MovingError{From: b.index, To: a.index}
	}
	return nil
}

// picked returns the shard that the host says a tenant is in.
func (h *homes) picked(tenant string) (*shard, error) {
	i := h.pick(tenant)
	if i < 0 || i >= len(h.shards) {
		return nil, fmt.Errorf("shards: pick returned %d for tenant %q; return 0 to %d", i, tenant,
			len(h.shards)-1)
	}
	return h.shards[i], nil
}

// peer returns the other shard of a move.
func (h *homes) peer(sh *shard, tenant string, st store.TenantState) (*shard, error) {
	if st.Peer < 0 || st.Peer >= len(h.shards) || st.Peer == sh.index {
		return nil, fmt.Errorf("shards: store %d says that tenant %q was moved to store %d, "+
			"and there are %d; give New all stores, in the same order", sh.index, tenant, st.Peer,
			len(h.shards))
	}
	return h.shards[st.Peer], nil
}

// To find a tenant by what one shard has of it is the way back from home: that shard may be the one
// that it has left.

// rightful returns the shard whose word counts about a tenant of which one has something: while the
// tenant is being moved, two have.
func (h *homes) rightful(
	ctx context.Context, found *shard, tenant string, a access,
) (*shard, error) {
	st, err := h.stateAt(ctx, found, tenant)
	if err != nil || st.Phase == store.TenantSettled {
		return found, err
	}
	return h.home(ctx, tenant, a)
}

// isRightful reports whether a shard is the one that shows a tenant.
func (h *homes) isRightful(sh *shard, tenant string) bool {
	st, _ := h.state(sh, tenant)
	switch st.Phase {
	case store.TenantArriving, store.TenantGone:
		return false
	case store.TenantLeaving: // until it is settled in the other, which is whole from then on
		there, known := h.state(h.shards[st.Peer], tenant)
		return !known || there.Phase == store.TenantArriving
	}
	return true
}

// atHome calls the shard that has a tenant, and again if that turns out to be another one.
func atHome[T any](
	ctx context.Context, s *Store, tenant string, a access, call func(*shard) (T, error),
) (out T, err error) {
	for range maxHops {
		sh, err := s.homes.home(ctx, tenant, a)
		if err != nil {
			return out, err
		}
		// Only the shard knows for sure, in its transaction, whether it has the tenant still.
		if out, err = call(sh); !errors.Is(err, store.ErrMoved) {
			return out, sh.wrap(err)
		}
		s.homes.outdated(sh)
	}
	return out, fmt.Errorf("shards: tenant %q: %w", tenant, store.ErrMoved)
}
