package shards

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/outhook/outhook/store"
)

// maxHops bounds how often a call looks for the shard of a tenant again because others move it at
// the same time.
const maxHops = 4

// homes knows which tenants are not where pick says: what the shards say of tenants that were moved
// or are being moved. They are few, so all are in memory. In another process's move it is outdated
// until a shard says ErrMoved.
type homes struct {
	mu sync.Mutex // guards all below; never held over a call of a shard

	version uint64 // of states: what was read before a change is not taken in
	states  map[*shard]map[string]store.TenantState
	current map[*shard]bool // whether its states need not be asked for

	// Of tenants that a Move of this Store has closed; each ends with it.
	closing map[string]chan struct{}
}

// state returns what is known of a tenant in a shard; ok is false if it must be asked.
func (h *homes) state(sh *shard, tenant string) (st store.TenantState, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.states[sh][tenant], h.current[sh]
}

// hasMoved reports whether a shard may not be the one whose word counts about a tenant.
func (h *homes) hasMoved(sh *shard, tenant string) bool {
	st, _ := h.state(sh, tenant)
	return st.Phase != store.TenantSettled
}

// anyMoves reports whether there is a tenant that two shards may show at present.
func (h *homes) anyMoves() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, states := range h.states {
		if len(states) > 0 {
			return true
		}
	}
	return false
}

func (h *homes) set(sh *shard, tenant string, st store.TenantState) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.version++
	if !h.current[sh] {
		return // it is to be asked anyway
	}
	if st.Phase == store.TenantSettled {
		delete(h.states[sh], tenant)
		return
	}
	h.states[sh][tenant] = st
}

// closed returns the channel that ends with the Move that has closed a tenant; nil if none has.
func (h *homes) closed(tenant string) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closing[tenant]
}

// close keeps callers from a tenant until the result is called.
func (h *homes) close(tenant string) (open func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ended := make(chan struct{})
	if h.closing == nil {
		h.closing = make(map[string]chan struct{})
	}
	h.closing[tenant] = ended
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.closing[tenant] == ended {
			delete(h.closing, tenant)
			close(ended)
		}
	}
}

// outdated has what is known of a shard's tenants asked anew.
func (h *homes) outdated(sh *shard) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.version++
	delete(h.current, sh)
}

// stateAt returns what a shard says of a tenant.
func (s *Store) stateAt(ctx context.Context, sh *shard, tenant string) (store.TenantState, error) {
	for {
		if st, ok := s.homes.state(sh, tenant); ok {
			return st, nil
		}
		version := s.homes.now()
		states := make(map[string]store.TenantState)
		if mover, ok := sh.Store.(store.TenantMover); ok {
			read, err := mover.TenantStates(ctx)
			if err != nil {
				return store.TenantState{}, sh.wrap(err)
			}
			maps.Copy(states, read)
		}
		ok, changed := s.homes.learn(sh, states, version)
		if changed {
			s.where.clear()
		}
		if ok {
			return states[tenant], nil
		}
	}
}

func (h *homes) now() (version uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.version
}

// learn takes in what a shard has said since the version, unless something has changed since. It
// reports whether it did, and whether that is news.
func (h *homes) learn(
	sh *shard, states map[string]store.TenantState, version uint64,
) (ok, changed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.version != version {
		return false, false
	}
	if h.states == nil {
		h.states = make(map[*shard]map[string]store.TenantState)
		h.current = make(map[*shard]bool)
	}
	changed = !maps.Equal(h.states[sh], states)
	h.states[sh], h.current[sh] = states, true
	return true, changed
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
func (s *Store) home(ctx context.Context, tenant string, a access) (*shard, error) {
	if len(s.shards) == 1 {
		return s.shards[0], nil
	}
	if a == writes {
		if err := s.waitForMove(ctx, tenant); err != nil {
			return nil, err
		}
	}
	sh, err := s.picked(tenant)
	if err != nil {
		return nil, err
	}
	looked := false // at the shards, and not at what was known
	for range len(s.shards) + maxHops {
		st, err := s.stateAt(ctx, sh, tenant)
		if err != nil {
			return nil, err
		}
		if st.Phase == store.TenantSettled {
			return sh, nil
		}
		peer, err := s.peer(sh, tenant, st)
		if err != nil {
			return nil, err
		}
		there, err := s.stateAt(ctx, peer, tenant)
		if err != nil {
			return nil, err
		}
		if moving := underWay(sh, st, peer, there); moving != nil {
			if looked && a == reads {
				return s.shards[moving.From], nil
			}
			if looked {
				moving.Tenant = tenant
				return nil, moving
			}
			looked = true
			s.homes.outdated(sh) // the move may have ended, in another process
			s.homes.outdated(peer)
			continue
		}
		sh = peer
	}
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
func (s *Store) picked(tenant string) (*shard, error) {
	i := s.pick(tenant)
	if i < 0 || i >= len(s.shards) {
		return nil, fmt.Errorf("shards: pick returned %d for tenant %q; return 0 to %d", i, tenant,
			len(s.shards)-1)
	}
	return s.shards[i], nil
}

// peer returns the other shard of a move.
func (s *Store) peer(sh *shard, tenant string, st store.TenantState) (*shard, error) {
	if st.Peer < 0 || st.Peer >= len(s.shards) || st.Peer == sh.index {
		return nil, fmt.Errorf("shards: store %d says that tenant %q was moved to store %d, "+
			"and there are %d; give New all stores, in the same order", sh.index, tenant, st.Peer,
			len(s.shards))
	}
	return s.shards[st.Peer], nil
}

// atHome calls the shard that has a tenant, and again if that turns out to be another one.
func atHome[T any](
	ctx context.Context, s *Store, tenant string, a access, call func(*shard) (T, error),
) (out T, err error) {
	for range maxHops {
		sh, err := s.home(ctx, tenant, a)
		if err != nil {
			return out, err
		}
		if out, err = call(sh); !errors.Is(err, store.ErrMoved) {
			return out, sh.wrap(err)
		}
		s.homes.outdated(sh)
	}
	return out, fmt.Errorf("shards: tenant %q: %w", tenant, store.ErrMoved)
}
