package dispatcher

import "sync"

// gate makes a change of a subscription hold at once. A worker passes it immediately before an attempt starts; a claim
// that is older than the last change of its subscription does not pass, and is given back to be claimed anew.
//
// A claim's age is the epoch in which its Claim call began, so a change that lands while the call runs counts as newer.
type gate struct {
	mu      sync.Mutex
	epoch   uint64
	changed map[string]uint64 // by subscription, the epoch its last change began
	open    int               // Claim calls under way, and claims that have not passed: while there are none, changed is empty
}

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
func (g *gate) pass(subscriptionID string, epoch uint64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	current := g.changed[subscriptionID] <= epoch
	g.leave(1)
	return current
}

// change says that a change of the subscription has been stored.
func (g *gate) change(subscriptionID string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.epoch++
	if g.open > 0 {
		g.changed[subscriptionID] = g.epoch
	}
}

// leave is called with g.mu held.
func (g *gate) leave(n int) {
	g.open -= n
	if g.open == 0 {
		clear(g.changed)
	}
}
