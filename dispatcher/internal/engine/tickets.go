package engine

import (
	"sync"

	"github.com/outhook/outhook/store"
)

// ticket is one claim that is under way in this process. Its phases only go forward.
type ticket struct {
	claim  store.Claim
	policy *Policy
	epoch  uint64 // in which its Claim call began
	phase  phase
	same   *int // how many of its subscription are issued or running; set by issue
}

// phase says how far a ticket has come. The order of the constants is that of a ticket's life; move
// compares them.
type phase uint8

const (
	issued    phase = iota // it was claimed, and its attempt has not been admitted
	running                // its attempt was admitted
	recording              // its attempt is over; the slot is held until the outcome is handed over
	closed                 // it holds nothing any more
	phases    = int(closed)
)

// tickets counts the claims that are under way, and keeps back those that a change has overtaken.
// All that is counted follows from the phase of each ticket, and changes with it, in move.
//
//   - slots:           issued + running + recording, at most max
//   - by subscription: issued + running
//   - the fence:       remembers changes while a ticket is issued, or a Claim call runs
type tickets struct {
	max   int
	freed chan struct{} // one slot: claimLoop can look again

	mu             sync.Mutex
	count          [phases]int
	bySubscription map[string]*int // none is zero
	full           bool            // claimLoop waits for a slot
	claiming       int             // Claim calls under way
	fence          fence
}

// newTickets returns tickets with max slots, all free.
func newTickets(max int) *tickets {
	return &tickets{
		max:            max,
		freed:          make(chan struct{}, 1),
		bySubscription: make(map[string]*int),
		fence:          fence{invalidated: make(map[Subject]uint64)},
	}
}

// free returns how many slots are free. If none is, the next ticket that closes wakes claimLoop.
func (t *tickets) free() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.max - t.count[issued] - t.count[running] - t.count[recording]
	// Noted under the same lock: a ticket that closes between the two would wake nobody. While
	// slots are free, no ticket wakes claimLoop, as the store's Ready says the rest. With that, and
	// the yield before each claim, the calls of Claim were a sixth in a fan-out to ten
	// subscriptions.
	t.full = n == 0
	return n
}

// begin begins a Claim call and returns its epoch.
func (t *tickets) begin() (epoch uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.claiming++
	return t.fence.epoch
}

// issue ends a Claim call, and counts the tickets of its claims.
func (t *tickets) issue(of []*ticket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.claiming--
	t.count[issued] += len(of)
	for _, k := range of {
		n := t.bySubscription[k.claim.SubscriptionID]
		if n == nil {
			n = new(int)
			t.bySubscription[k.claim.SubscriptionID] = n
		}
		*n++
		k.same = n
	}
	t.forget()
}

// admit reports whether the attempt of a ticket may start: nothing that it is for has changed since
// it was claimed. Either way the ticket is running, and the fence has no more to do with it. A
// change that comes after this finds the attempt under way, which it does not cut off.
func (t *tickets) admit(k *ticket) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	ok := t.fence.admits(&k.claim, k.epoch)
	t.move(k, running)
	t.forget()
	return ok
}

// attemptDone says that the attempt of a ticket is over. It comes before the store is told: as soon
// as the store has the outcome, it may give out more of the subscription, which crowded would keep
// back if this attempt still counted.
func (t *tickets) attemptDone(k *ticket) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.move(k, recording)
}

// close gives back the slot of a ticket.
func (t *tickets) close(k *ticket) {
	t.mu.Lock()
	t.move(k, closed)
	waited := t.full
	t.full = false // one wake-up is enough: claimLoop then sees all that is free
	t.mu.Unlock()
	if waited {
		t.wakeClaimer()
	}
}

// move brings a ticket to a later phase. t.mu is held.
func (t *tickets) move(k *ticket, to phase) {
	if k.phase <= running && to > running {
		// Deleted at zero, so that the map has what is under way and not every subscription.
		if *k.same--; *k.same == 0 {
			delete(t.bySubscription, k.claim.SubscriptionID)
		}
	}
	t.count[k.phase]--
	if to != closed {
		t.count[to]++
	}
	k.phase = to
}

// crowded reports whether a subscription has max attempts under way. The store counts leases: it
// gives out more when attempts have outlasted theirs, because a function of the host's does not
// return. Without this such a subscription would take slot after slot.
func (t *tickets) crowded(subscriptionID string, max int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	if same := t.bySubscription[subscriptionID]; same != nil {
		n = *same
	}
	return n >= max
}

// wakeClaimer has claimLoop look again. It never blocks: a slot that is full already says so.
func (t *tickets) wakeClaimer() {
	select {
	case t.freed <- struct{}{}:
	default:
	}
}

// invalidate says that a change of the subject has been stored.
func (t *tickets) invalidate(of Subject) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fence.invalidate(of)
	t.forget()
}

// forget empties the fence when no ticket is left that it could keep back. That is nearly always
// within milliseconds, so the fence stays small however many subscriptions change. t.mu is held.
func (t *tickets) forget() {
	if t.claiming == 0 && t.count[issued] == 0 {
		clear(t.fence.invalidated)
	}
}

// fence tells claims that a change has overtaken. Time is counted in epochs, one for each change. A
// claim's age is the epoch in which its Claim call began, not ended: a change that is stored while
// the call runs may or may not be in what it returns, so it counts as newer.
type fence struct {
	epoch       uint64
	invalidated map[Subject]uint64 // by what was changed, the epoch that its last change began
}

// Subject is what a change is about.
type Subject struct {
	kind       byte
	tenant, id string
}

// Subscription is the subject of a change of a subscription.
func Subscription(id string) Subject { return Subject{kind: 's', id: id} }

// Event is the subject of the erasure of an event of a tenant.
func Event(tenant, id string) Subject { return Subject{'e', tenant, id} }

// Tenant is the subject of the erasure of a tenant's events.
func Tenant(tenant string) Subject { return Subject{kind: 't', tenant: tenant} }

// invalidate begins an epoch with the change of a subject.
func (f *fence) invalidate(of Subject) {
	f.epoch++
	f.invalidated[of] = f.epoch
}

// admits reports whether nothing that a claim is made of has changed since its epoch. Nearly always
// nothing has changed at all, and nothing is looked up.
func (f *fence) admits(c *store.Claim, epoch uint64) bool {
	return len(f.invalidated) == 0 ||
		f.invalidated[Subscription(c.SubscriptionID)] <= epoch &&
			f.invalidated[Event(c.Tenant, c.EventID)] <= epoch &&
			f.invalidated[Tenant(c.Tenant)] <= epoch
}
