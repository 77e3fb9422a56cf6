package schedule

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule/internal/account"
	"github.com/outhook/outhook/store/internal/schedule/internal/heap"
)

// turns are the Subs that have something due: in each class a heap of tenants, and for each of
// these a heap of its Subs, by the slot time that they have used lately.
//
// A Sub or tenant at its limit is kept aside, with its account: otherwise each claim would look
// again at all that are at their limit. A Sub at its own limit comes back when a lease of it ends,
// its health changes, or a claim has other limits. A tenant comes back when a lease of its Subs
// ends. Of the Subs that the limit of their host keeps back, some come back for each lease to that
// host that ends. So what limits keep back costs next to nothing.
type turns[Q, L any] struct {
	byClass [store.Classes]heap.Of[*tenantTurn[Q, L]]
	next    store.Class // whose turn it is
	count   int         // of Subs that have something due, those aside included
	last    int64       // the last number that was given to a turn

	tenants map[string]*tenant[Q, L]
	hosts   map[string]*host[Q, L]
	clock   account.Clock

	aside  heap.Of[*turn[Q, L]] // Subs at their own limit
	full   map[*tenant[Q, L]]struct{}
	limits limits
}

// limits are those of the last claim.
type limits struct{ perSubscription, perTenant, perHost, breakerThreshold int }

// isProbe reports whether the breaker of a subscription with this health is open.
func (l *limits) isProbe(h *store.Health) bool {
	return (&store.ClaimRequest{BreakerThreshold: l.breakerThreshold}).IsProbe(h)
}

// turn is a Sub that has something due, if it is in a heap.
type turn[Q, L any] struct {
	sub    *Sub[Q, L]
	used   float64 // see package account
	number int64   // orders those that have used the same
	where  where
	class  store.Class // whose heap it is in
	pos    int
}

// where says in which heap a turn is.
type where uint8

const (
	nowhere     where = iota // it has nothing due
	inTurn                   // its tenant's
	atOwnLimit               // turns.aside
	atHostLimit              // its host's aside
)

func (t *turn[Q, L]) Before(o *turn[Q, L]) bool {
	if t.used != o.used {
		return t.used < o.used
	}
	return t.number < o.number
}

func (t *turn[Q, L]) Index() *int { return &t.pos }

func newTurns[Q, L any]() turns[Q, L] {
	return turns[Q, L]{
		tenants: make(map[string]*tenant[Q, L]),
		hosts:   make(map[string]*host[Q, L]),
		full:    make(map[*tenant[Q, L]]struct{}),
	}
}

// any reports whether any Sub has something due.
func (ts *turns[Q, L]) any() bool { return ts.count > 0 }

// place gives q its tenant and its host.
func (ts *turns[Q, L]) place(q *Sub[Q, L], state *State) {
	if q.tenant == nil {
		t := ts.tenants[state.Tenant]
		if t == nil {
			t = newTenant[Q, L](state.Tenant)
			ts.tenants[state.Tenant] = t
		}
		q.tenant = t
		t.subs++
		t.leased += q.leased
	}
	ts.moveToHost(q, state.Host)
}

// moveToHost gives q another host, and its leases with it.
func (ts *turns[Q, L]) moveToHost(q *Sub[Q, L], name string) {
	if q.host.is(name) {
		return
	}
	ts.leave(q) // it may be aside with the old host; reschedule brings it back
	ts.leaveHost(q)
	if name == "" {
		return
	}
	h := ts.hosts[name]
	if h == nil {
		h = &host[Q, L]{name: name}
		ts.hosts[name] = h
	}
	q.host = h
	h.subs++
	h.leased += q.leased
}

func (ts *turns[Q, L]) leaveHost(q *Sub[Q, L]) {
	h := q.host
	if h == nil {
		return
	}
	q.host = nil
	h.leased -= q.leased
	if h.subs--; h.subs == 0 {
		delete(ts.hosts, h.name)
	}
	ts.readmitSomeOf(h)
}

// forget drops a Sub that has left.
func (ts *turns[Q, L]) forget(q *Sub[Q, L]) {
	ts.leaveHost(q)
	t := q.tenant
	if t == nil {
		return
	}
	q.tenant = nil
	t.leased -= q.leased
	if t.subs--; t.subs == 0 {
		delete(ts.tenants, t.name)
		delete(ts.full, t)
	}
}

// enter gives q a turn in its class, unless it has one. One that has had nothing due, and so has
// used little, starts level with the one in the heap that has used the least: or else it would have
// all turns for a while. It reports whether q had none.
func (ts *turns[Q, L]) enter(q *Sub[Q, L]) bool {
	t := &q.turn
	if t.where != nowhere && t.class == q.class {
		return false
	}
	ts.leave(q)
	ts.count++
	in := &q.tenant.byClass[q.class]
	if first, ok := in.subs.First(); ok {
		t.used = max(t.used, first.used)
	}
	// The account of a tenant is one for all classes, so only one that has nothing due in any of
	// them is raised: or else a tenant would lose its place in one class for coming into another.
	if !q.tenant.hasDue() {
		if first, ok := ts.byClass[q.class].First(); ok {
			q.tenant.used = max(q.tenant.used, first.tenant.used)
		}
	}
	t.number = ts.number() // behind those with the same account, which have waited longer
	t.class = q.class
	ts.put(q)
	return true
}

// put puts a Sub among those of its tenant, and its tenant into the class.
func (ts *turns[Q, L]) put(q *Sub[Q, L]) {
	t := &q.turn
	t.where = inTurn
	in := &q.tenant.byClass[t.class]
	in.subs.Set(t)
	if !q.tenant.aside && in.pos == 0 {
		in.number = ts.number()
		ts.byClass[t.class].Set(in)
	}
}

func (ts *turns[Q, L]) number() int64 {
	ts.last++
	return ts.last
}

// take takes a Sub out of the heap that it is in.
func (ts *turns[Q, L]) take(q *Sub[Q, L]) {
	t := &q.turn
	switch t.where {
	case inTurn:
		in := &q.tenant.byClass[t.class]
		in.subs.Drop(t)
		if in.subs.Len() == 0 {
			ts.byClass[t.class].Drop(in)
		}
	case atOwnLimit:
		ts.aside.Drop(t)
	case atHostLimit:
		q.host.aside.Drop(t)
	}
	t.where = nowhere
}

// leave takes q out, if it has a turn. If it had come back because its host has room, others are
// let back in its place.
func (ts *turns[Q, L]) leave(q *Sub[Q, L]) {
	if q.turn.where == nowhere {
		return
	}
	ts.take(q)
	ts.count--
	ts.readmitSomeOf(q.host)
}

// first returns the Sub of a class whose turn it is; nil if there is none. Those that the limits of
// their tenant or host keep back are put aside.
func (ts *turns[Q, L]) first(class store.Class) *Sub[Q, L] {
	for {
		in, ok := ts.byClass[class].First()
		if !ok {
			return nil
		}
		// Now, and not as leases are taken: most of those at a limit never come first.
		if ts.limits.atLimit(in.tenant.leased, in.tenant.name) {
			ts.setTenantAside(in.tenant)
			continue
		}
		t, _ := in.subs.First()
		if t.sub.host.full(&ts.limits) {
			ts.take(t.sub)
			t.where = atHostLimit
			t.sub.host.aside.Set(t)
			continue
		}
		return t.sub
	}
}

// soon calls f for Subs of a class whose turns come soon, of n tenants at most, until f is false. A
// heap has the first turn in front, and the next ones near the front.
func (ts *turns[Q, L]) soon(class store.Class, n int, f func(*Sub[Q, L]) bool) {
	tenants := ts.byClass[class].Items()
	for _, in := range tenants[:min(n, len(tenants))] {
		for _, t := range in.subs.Items()[:min(n, in.subs.Len())] {
			if !f(t.sub) {
				return
			}
		}
	}
}

// pass makes the next turn of q, and of its tenant, come after those of all who have used as much.
func (ts *turns[Q, L]) pass(q *Sub[Q, L]) {
	q.turn.number = ts.number()
	in := &q.tenant.byClass[q.turn.class]
	in.number = ts.number()
	ts.fix(q)
}

// charge adds to the accounts of q and its tenant.
func (ts *turns[Q, L]) charge(q *Sub[Q, L], worth float64) {
	q.turn.used = max(q.turn.used+worth, 0)
	if q.tenant != nil {
		q.tenant.used = max(q.tenant.used+worth, 0)
		ts.fix(q)
	}
}

// fix brings q and its tenant to where they belong by their accounts.
func (ts *turns[Q, L]) fix(q *Sub[Q, L]) {
	switch q.turn.where {
	case inTurn:
		q.tenant.byClass[q.turn.class].subs.Set(&q.turn)
	case atOwnLimit:
		ts.aside.Set(&q.turn)
	case atHostLimit:
		q.host.aside.Set(&q.turn)
	}
	// In all classes, as the account of the tenant has changed in all.
	for class := range q.tenant.byClass {
		if in := &q.tenant.byClass[class]; in.pos > 0 {
			ts.byClass[class].Set(in)
		}
	}
}
