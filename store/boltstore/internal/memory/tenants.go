package memory

// tenants counts what is pending by tenant. The counts follow the effects of transactions, so that
// asking for one takes the same time for any backlog.
//
// After an open, memory does not know whose the backlogs in the file are: the records of their
// subscriptions are not read. Those wait in unknown until somebody asks, and are read once.
type tenants struct {
	pending map[string]int    // by tenant; none is zero
	unknown map[uint64]*Queue // by number: those that have something pending
}

func newTenants() tenants {
	return tenants{pending: make(map[string]int), unknown: make(map[uint64]*Queue)}
}

// counted is what tenants has of a subscription.
type counted struct {
	pending int
	tenant  string
	known   bool // the tenant is, or that it can't be read
	lost    bool // the tenant can't be read: it counts for nobody
}

func (t *tenants) add(tenant string, n int) {
	if n += t.pending[tenant]; n != 0 {
		t.pending[tenant] = n
		return
	}
	delete(t.pending, tenant)
}

// recount brings the count of a subscription's tenant up to what is pending of it now. It must be
// called after every change of Subscriber.Pending and of the implicit list.
func (t *tenants) recount(q *Queue) {
	c := &q.Data.counted
	n := q.Data.Pending + q.ImplicitCount() - c.pending
	if n == 0 {
		return
	}
	c.pending += n
	switch {
	case c.lost:
	case c.known:
		t.add(c.tenant, n)
	case c.pending == 0:
		delete(t.unknown, q.Num)
	default:
		t.unknown[q.Num] = q
	}
}

// learn takes in whose a subscription is, which never changes.
func (t *tenants) learn(q *Queue, tenant string) {
	c := &q.Data.counted
	if c.known && !c.lost {
		return
	}
	delete(t.unknown, q.Num)
	c.tenant, c.known, c.lost = tenant, true, false
	if c.pending != 0 {
		t.add(tenant, c.pending)
	}
}

// drop takes out a subscription that is deleted or forgotten.
func (t *tenants) drop(q *Queue) {
	c := &q.Data.counted
	delete(t.unknown, q.Num)
	if c.known && !c.lost && c.pending != 0 {
		t.add(c.tenant, -c.pending)
	}
	*c = counted{}
}

// TenantPending returns how many deliveries of a tenant are pending. Before it is known, the caller
// must read whose the subscriptions of the given numbers are, at most max of them, and have
// LearnTenant called for each. The mutex of the store's state is held.
func (m *Memory) TenantPending(tenant string, max int) (n int, unknown []uint64) {
	for num := range m.tenants.unknown {
		if len(unknown) == max {
			break
		}
		unknown = append(unknown, num)
	}
	return m.tenants.pending[tenant], unknown
}

// LearnTenant takes in whose a subscription is; ok is false if that can't be read. The mutex of the
// store's state is held.
func (m *Memory) LearnTenant(num uint64, tenant string, ok bool) {
	q := m.tenants.unknown[num]
	switch {
	case q == nil: // its deliveries have ended meanwhile, or Claim has learned it
	case ok:
		m.tenants.learn(q, tenant)
	default:
		delete(m.tenants.unknown, num)
		q.Data.counted.known, q.Data.counted.lost = true, true
	}
}
