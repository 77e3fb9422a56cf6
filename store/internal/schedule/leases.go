package schedule

import (
	"math"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule/internal/heap"
)

// leases are those whose tokens are good, also those that have run out.
type leases[Q, L any] struct {
	tokens    map[uint64]*Lease[Q, L]
	running   heap.Of[*Lease[Q, L]] // those that can run out
	lastToken uint64
	leased    [store.Classes]int // how many count against limits, by the class of their Subs
}

// Present returns the lease that a token is for; nil if the token is worth nothing.
func (ls *leases[Q, L]) Present(token uint64) *Lease[Q, L] {
	if l := ls.tokens[token]; l != nil && !l.ending {
		return l
	}
	return nil
}

// InFlight returns how many deliveries of q are leased; of all, if q is nil. A lease that has run
// out counts until Expire.
func (ls *leases[Q, L]) InFlight(q *Sub[Q, L]) (n int) {
	in := ls.tokens
	if q != nil {
		in = q.leases
	}
	for _, l := range in {
		if !l.expired {
			n++
		}
	}
	return n
}

// Prolong has a lease that has not run out run until later.
func (ls *leases[Q, L]) Prolong(l *Lease[Q, L], until int64) {
	if l.ended || l.expired || l.ending {
		return
	}
	l.until = until
	ls.running.Set(l)
}

// Counted returns how many leases count against limits, by class, and how many may run out.
func (ls *leases[Q, L]) Counted() (byClass [store.Classes]int, running int) {
	return ls.leased, ls.running.Len()
}

// Leased returns how many leases count against limits, of the classes that share some.
func (ls *leases[Q, L]) Leased() store.Leased {
	n := &ls.leased
	return store.Leased{
		Unhealthy: n[store.ClassNew] + n[store.ClassFailing] + n[store.ClassSlow],
		Failing:   n[store.ClassFailing],
	}
}

// issue makes a token good for a delivery of q.
func (ls *leases[Q, L]) issue(
	q *Sub[Q, L], p order.Position, from order.Source, until int64,
) *Lease[Q, L] {
	ls.lastToken++
	l := &Lease[Q, L]{
		Sub: q, Seq: p.Seq, Token: ls.lastToken, From: from, until: until, home: from, position: p,
	}
	ls.restore(l)
	return l
}

// restore makes the token of l good.
func (ls *leases[Q, L]) restore(l *Lease[Q, L]) {
	l.ended = false
	ls.tokens[l.Token] = l
	if l.Sub.leases == nil {
		l.Sub.leases = make(map[uint64]*Lease[Q, L])
	}
	l.Sub.leases[l.Seq] = l
}

// revoke makes the token of l worthless.
func (ls *leases[Q, L]) revoke(l *Lease[Q, L]) {
	l.ended = true
	delete(ls.tokens, l.Token)
	if l.Sub.leases[l.Seq] == l { // or else another has the delivery since
		delete(l.Sub.leases, l.Seq)
	}
}

// count adds to how many leases of a Sub count, and of its class, tenant and host.
func (ls *leases[Q, L]) count(q *Sub[Q, L], n int) {
	q.leased += n
	ls.leased[q.class] += n
	if q.tenant != nil {
		q.tenant.leased += n
	}
	if q.host != nil {
		q.host.leased += n
	}
}

// nextEnd returns when a lease has run out of something that may be claimed then, of those with a
// token up to before. It looks only at leases that run out before that.
func (ls *leases[Q, L]) nextEnd(before uint64) int64 {
	at := int64(math.MaxInt64)
	ls.running.Walk(0, func(l *Lease[Q, L]) (on bool) {
		// What is below it in the heap runs out no earlier.
		if l.until >= at {
			return false
		}
		if l.Token <= before && l.Sub.active && !l.blocked {
			at = min(at, max(l.until, l.Sub.blockedUntil()))
		}
		return true
	})
	return at
}
