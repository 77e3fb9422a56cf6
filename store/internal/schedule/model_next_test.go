package schedule_test

import (
	"math"

	"github.com/outhook/outhook/store"
)

// noteWaiting notes the subscriptions that have something due from now on, as a round begins.
func (m *model) noteWaiting() {
	for _, num := range sorted(m.told()) {
		if k := m.get(num); k.waiting < 0 && m.hasFree(num) {
			k.waiting = m.count
		}
	}
}

// forgetWaiting notes the subscriptions that have nothing due any more.
func (m *model) forgetWaiting() {
	for _, k := range m.known {
		if k.q == nil || !m.hasFree(k.q.Num) {
			k.waiting = -1
		}
	}
}

// wantNothingLeft says whether a round has taken all that it may.
func (m *model) wantNothingLeft(rd *round) {
	if len(rd.Leases) >= rd.req.Max || m.before != nil || rd.now != m.now {
		return
	}
	for _, num := range sorted(m.file) {
		k := m.get(num)
		if !k.ok || !m.hasFree(num) {
			continue
		}
		if m.roomFor(&rd.req, num) {
			m.fail("%d has something due, and the round ends with %d of %d", num, len(rd.Leases), rd.req.Max)
		}
	}
}

// wantNextDue says whether a round tells exactly when there is more. Where limits keep something
// back, it need not say when there is more of the same subscription.
func (m *model) wantNextDue(rd *round) {
	if m.before != nil || rd.runs > 1 || rd.now != m.now {
		return
	}
	low, high := int64(math.MaxInt64), int64(math.MaxInt64)
	for num, f := range m.file {
		k := m.get(num)
		if !k.ok || !k.state.Active {
			continue
		}
		next := int64(math.MaxInt64)
		for seq, p := range f.pending {
			due := p.due
			if m.probing(num) {
				due = 0
			}
			if at := max(due, m.blockedUntil(num)); !p.blocked && !m.busy(num, seq) && at > m.now {
				next = min(next, at)
			}
		}
		low = min(low, next)
		if at := m.blockedUntil(num); m.window > 0 && at > m.now {
			low = min(low, at) // nothing is loaded before, so there may be something
		}
		_, classes := m.leasedBy(num)
		if !m.hasFree(num) && rd.req.Room(k.state.Health.Class(), &classes) &&
			len(rd.Leases) < rd.req.Max {
			high = min(high, next)
		}
	}
	for _, h := range m.leases {
		if rd.before[h] && !h.ended && !h.expired && !h.sealed && m.get(h.num).state.Active {
			if p, ok := m.file[h.num].pending[h.Seq]; ok && !p.blocked {
				at := max(h.until, m.blockedUntil(h.num))
				low, high = min(low, at), min(high, at)
			}
		}
	}
	got := int64(math.MaxInt64)
	if wait := rd.NextDue(); wait != store.NoneDue {
		got = m.now + int64(wait)
	}
	if got < low || got > high {
		m.fail("NextDue says %d; want from %d to %d", got, low, high)
	}
}
