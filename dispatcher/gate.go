package dispatcher

import (
	"sync"

	"github.com/outhook/outhook/store"
)

// gate makes a change hold at once: of a subscription, or of an event or a tenant that is erased. A worker passes it
// immediately before an attempt starts; a claim that is older than the last change of what it is for does not pass, and is
// given back to be claimed anew, if there is still something to claim.
//
// A claim's age is the epoch in which its Claim call began, so a change that lands while the call runs counts as newer.
type gate struct {
	mu      sync.Mutex
	epoch   uint64
	changed map[subject]uint64 // the epoch in which its last change began
	open    int                // Claim calls under way, and claims that have not passed: while there are none, changed is empty
}

// subject is what a change is about.
type subject struct {
	kind byte
	id   string
}

func ofSubscription(id string) subject { return subject{'s', id} }
func ofEvent(id string) subject        { return subject{'e', id} }
func ofTenant(tenant string) subject   { return subject{'t', tenant} }

// enter begins a Claim call and returns its epoch.
func (g *gate) enter() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open++
	return g.epoch
}

// claimed ends a Claim call that brought n claims. Each must pass.
func (g *gate) claimed(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leave(1 - n)
}

// pass reports whether the attempt of a claim made in the epoch may start.
func (g *gate) pass(c *store.Claim, epoch uint64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	current := len(g.changed) == 0 ||
		g.changed[ofSubscription(c.SubscriptionID)] <= epoch &&
			g.changed[ofEvent(c.EventID)] <= epoch &&
			g.changed[ofTenant(c.Tenant)] <= epoch
	g.leave(1)
	return current
}

// change says that a change has been stored.
func (g *gate) change(of subject) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.epoch++
	if g.open > 0 {
		g.changed[of] = g.epoch
	}
}

// leave is called with g.mu held.
func (g *gate) leave(n int) {
	g.open -= n
	if g.open == 0 {
		clear(g.changed)
	}
}
