package schedule_test

import (
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
)

// busy reports whether a lease runs on a delivery.
func (m *model) busy(num, seq uint64) bool {
	return slices.ContainsFunc(m.leases, func(h *held) bool {
		return h.num == num && h.Seq == seq && !h.ended && !h.expired
	})
}

// blockedUntil returns until when nothing of a subscription is claimed.
func (m *model) blockedUntil(num uint64) int64 {
	at := m.pauses[num]
	h := m.get(num).state.Health
	for _, until := range []time.Time{h.NextProbeAt, h.HeldUntil} {
		if !until.IsZero() {
			at = max(at, until.UnixNano())
		}
	}
	if last := m.get(num).leasedAt; h.Pace > 0 && last > 0 {
		at = max(at, last+int64(h.Pace))
	}
	return at
}

// open reports whether deliveries of a subscription are claimed at all, as far as the schedule
// knows.
func (m *model) open(num uint64) bool {
	k := m.get(num)
	return k.ok && k.state.Active && m.blockedUntil(num) <= m.now
}

// probing reports whether the breaker of a subscription is open, as far as the schedule knows.
func (m *model) probing(num uint64) bool {
	k := m.get(num)
	return k.ok && m.probes > 0 && k.state.Health.Failures >= m.probes
}

// free returns the deliveries of a subscription that are free and due, those of first attempts and
// of retries each in order. Where the breaker is open, retries are free whenever they are due.
func (m *model) free(f file, num uint64) (first, retries []order.Position) {
	if f[num] == nil || !m.open(num) {
		return nil, nil
	}
	for seq, p := range f[num].pending {
		switch {
		case p.blocked || m.busy(num, seq) || p.due > m.now && !m.probing(num):
		case p.due == 0:
			first = append(first, p.position(seq))
		default:
			retries = append(retries, p.position(seq))
		}
	}
	slices.SortFunc(first, order.Position.Compare)
	slices.SortFunc(retries, order.Position.Compare)
	return first, retries
}

// surelyFree returns the deliveries of a subscription that are free and due, whether a load sees
// the last commit or not.
func (m *model) surelyFree(num uint64) []order.Position {
	first, retries := m.free(m.told(), num)
	all := slices.Concat(first, retries)
	if m.before == nil {
		return all
	}
	first, retries = m.free(m.file, num)
	return slices.DeleteFunc(all, func(p order.Position) bool {
		return !slices.Contains(first, p) && !slices.Contains(retries, p)
	})
}

// hasFree reports whether there is any.
func (m *model) hasFree(num uint64) bool { return len(m.surelyFree(num)) > 0 }

// leasedBy returns how many leases count for a subscription, and how many of each class.
func (m *model) leasedBy(num uint64) (n int, classes [store.Classes]int) {
	for _, h := range m.leases {
		if !h.counted {
			continue
		}
		if h.num == num {
			n++
		}
		classes[m.get(h.num).state.Health.Class()]++
	}
	return n, classes
}

// leasedBeside returns how many leases count of the tenant and of the host of a subscription.
func (m *model) leasedBeside(num uint64) (tenant, host int) {
	state := m.get(num).state
	for _, h := range m.leases {
		other := m.get(h.num).state
		if h.counted && other.Tenant == state.Tenant {
			tenant++
		}
		if h.counted && other.Host == state.Host {
			host++
		}
	}
	return tenant, host
}

// roomFor reports whether the limits of a request let one more of a subscription be leased.
func (m *model) roomFor(req *store.ClaimRequest, num uint64) bool {
	state := &m.get(num).state
	n, classes := m.leasedBy(num)
	tenant, host := m.leasedBeside(num)
	limit := m.limitOf(req, num)
	return (limit == 0 || n < limit) && req.Room(state.Health.Class(), &classes) &&
		(req.PerTenant == 0 || state.Tenant == "" || tenant < req.PerTenant) &&
		(req.PerHost == 0 || state.Host == "" || host < req.PerHost)
}
