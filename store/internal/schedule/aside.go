package schedule

// What limits keep back stays aside until it may have room; see turns.

// setAside keeps q from being looked at, because it is at its own limit.
func (ts *turns[Q, L]) setAside(q *Sub[Q, L]) {
	ts.take(q)
	q.turn.where = atOwnLimit
	ts.aside.Set(&q.turn)
	ts.readmitSomeOf(q.host) // it may have come back for room that it can't use
}

// setTenantAside keeps all Subs of a tenant from being looked at.
func (ts *turns[Q, L]) setTenantAside(t *tenant[Q, L]) {
	t.aside = true
	ts.full[t] = struct{}{}
	for class := range t.byClass {
		ts.byClass[class].Drop(&t.byClass[class])
	}
}

// readmit lets q be looked at again, in its old turn.
func (ts *turns[Q, L]) readmit(q *Sub[Q, L]) {
	if q.turn.where == atOwnLimit {
		ts.aside.Drop(&q.turn)
		ts.put(q)
	}
}

// readmitTenant lets the Subs of a tenant be looked at again.
func (ts *turns[Q, L]) readmitTenant(t *tenant[Q, L]) {
	if !t.aside {
		return
	}
	t.aside = false
	delete(ts.full, t)
	// Only where it has something: its Subs may have left while it was aside.
	for class := range t.byClass {
		if in := &t.byClass[class]; in.subs.Len() > 0 {
			ts.byClass[class].Set(in)
		}
	}
}

// maxReadmitted is how many Subs come back when a host has room. One could be kept back by another
// limit, and keep the room from the next; with so many, not all are.
const maxReadmitted = 16

// readmitSomeOf lets some of those be looked at again that the limit of a host keeps back, if there
// is room.
func (ts *turns[Q, L]) readmitSomeOf(h *host[Q, L]) {
	if h == nil || h.full(&ts.limits) {
		return
	}
	for range maxReadmitted {
		t, ok := h.aside.First()
		if !ok {
			return
		}
		h.aside.Drop(t)
		ts.put(t.sub)
	}
}

// leaseEnded lets all be looked at again that have room by the end of a lease of q.
func (ts *turns[Q, L]) leaseEnded(q *Sub[Q, L]) {
	ts.readmit(q)
	if q.tenant != nil {
		ts.readmitTenant(q.tenant)
	}
	ts.readmitSomeOf(q.host)
}

// use readies the turns for other limits: all that the old ones have kept back is looked at again.
func (ts *turns[Q, L]) use(l limits) {
	ts.limits = l
	for t, ok := ts.aside.First(); ok; t, ok = ts.aside.First() {
		ts.readmit(t.sub)
	}
	for t := range ts.full {
		ts.readmitTenant(t)
	}
	for _, h := range ts.hosts {
		for t, ok := h.aside.First(); ok; t, ok = h.aside.First() {
			h.aside.Drop(t)
			ts.put(t.sub)
		}
	}
}
