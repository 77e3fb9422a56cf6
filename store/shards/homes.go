package shards

import (
	"maps"
	"sync"

	"github.com/outhook/outhook/store"
)

// A tenant is where pick says, unless a store says otherwise: one that a tenant was moved from says
// where to, and one that it is being moved to, where from. So pick need not change after a move,
// and what is looked up is what the stores have on disk.

// homes knows which tenants are not where pick says: what the shards say of tenants that were moved
// or are being moved. They are few, so all are in memory. In another process's move it is outdated
// until a shard says ErrMoved.
type homes struct {
	pick   func(tenant string) int
	shards []*shard
	where  *locations // is cleared when tenants have moved

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

// lastState returns what a shard has said of a tenant last, outdated or not; known is false if it
// has not been asked yet.
func (h *homes) lastState(sh *shard, tenant string) (st store.TenantState, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	states, known := h.states[sh]
	return states[tenant], known
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

// set notes what a shard was told of a tenant by a Move of this Store.
func (h *homes) set(sh *shard, tenant string, st store.TenantState) {
	h.mu.Lock()
	defer h.mu.Unlock()
	// What is being read of the shard may be older than this.
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
		if h.closing[tenant] == ended { // or it was called before
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
	delete(h.current, sh) // the states stay, for those who only ask which shard shows a tenant
}

// now returns the version of what is known.
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
	// As a rule it says the same again, and then what is remembered of locations stays.
	changed = !maps.Equal(h.states[sh], states)
	h.states[sh], h.current[sh] = states, true
	if changed {
		// What the others have said may be older than the move that this tells of. A tenant that is
		// leaving this one, and was settled in the other before, would seem to have moved.
		h.version++
		for other := range h.current {
			if other != sh {
				delete(h.current, other)
			}
		}
	}
	return true, changed
}
