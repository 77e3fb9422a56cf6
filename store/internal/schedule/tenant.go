package schedule

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule/internal/heap"
)

// tenant is what the Subs of one tenant have in common: its account, its limit, and in each class
// those of its Subs that have something due.
type tenant[Q, L any] struct {
	name    string
	used    float64 // see package account
	subs    int     // how many Subs it has
	leased  int     // how many leases of them count
	aside   bool    // it is at its limit, and in the heaps of no class
	byClass [store.Classes]tenantTurn[Q, L]
}

// tenantTurn is a tenant in a class. It is in the heap of the class if it has Subs there, unless
// the tenant is aside.
type tenantTurn[Q, L any] struct {
	tenant *tenant[Q, L]
	subs   heap.Of[*turn[Q, L]]
	number int64 // orders those that have used the same
	pos    int
}

func (t *tenantTurn[Q, L]) Before(o *tenantTurn[Q, L]) bool {
	if t.tenant.used != o.tenant.used {
		return t.tenant.used < o.tenant.used
	}
	return t.number < o.number
}

func (t *tenantTurn[Q, L]) Index() *int { return &t.pos }

func newTenant[Q, L any](name string) *tenant[Q, L] {
	t := &tenant[Q, L]{name: name}
	for i := range t.byClass {
		t.byClass[i].tenant = t
	}
	return t
}

// hasDue reports whether any of its Subs has something due that its own limits do not keep back.
func (t *tenant[Q, L]) hasDue() bool {
	for i := range t.byClass {
		if t.byClass[i].subs.Len() > 0 {
			return true
		}
	}
	return false
}

// atLimit reports whether no more may be leased of a tenant. The tenant without a name is that of a
// host that has no tenants, and has no limit.
func (l *limits) atLimit(leased int, name string) bool {
	return l.perTenant > 0 && name != "" && leased >= l.perTenant
}

// host is what the Subs have in common whose attempts go to one host and port.
type host[Q, L any] struct {
	name   string
	subs   int
	leased int
	aside  heap.Of[*turn[Q, L]] // those that have something due, and that its limit keeps back
}

// is reports whether h is the host of that name; a Sub without a host has nil.
func (h *host[Q, L]) is(name string) bool {
	if h == nil {
		return name == ""
	}
	return h.name == name
}

// full reports whether no more may be leased of a host.
func (h *host[Q, L]) full(l *limits) bool {
	return h != nil && l.perHost > 0 && h.leased >= l.perHost
}
