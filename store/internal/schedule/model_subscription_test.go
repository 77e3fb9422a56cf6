package schedule_test

import (
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule"
	"pgregory.net/rapid"
)

// newHealth commits another health with the next commit, and returns how the schedule is told.
func (m *model) newHealth(num uint64) func() {
	h := m.health()
	changed := m.file[num]
	return func() {
		changed.state.Health = h
		if q := m.s.Sub(num); q != nil {
			m.s.SetHealth(q, h, m.now)
			m.takeHealth(num, h)
		}
	}
}

func (m *model) setHealth() {
	num := m.pick()
	h := m.health()
	m.commit(func() { m.file[num].state.Health = h }, func() {
		if q := m.s.Sub(num); q != nil {
			m.s.SetHealth(q, h, m.now)
			m.takeHealth(num, h)
		}
	})
}

// takeHealth takes in that the schedule knows a health. One of another class has its turn after
// those that were there.
func (m *model) takeHealth(num uint64, h *store.Health) {
	k := m.get(num)
	if k.state.Health.Class() != h.Class() {
		k.waiting = -1
	}
	k.state.Health = h
}

func (m *model) setHost() {
	num := m.pick()
	host := rapid.SampledFrom([]string{"", "x", "y"}).Draw(m.t, "host")
	m.commit(func() { m.file[num].state.Host = host }, func() {
		if q := m.s.Sub(num); q != nil {
			m.s.SetHost(q, host, m.now)
			m.get(num).state.Host = host
		}
	})
}

func (m *model) setActive() {
	num, active := m.pick(), rapid.Bool().Draw(m.t, "active")
	m.commit(func() { m.file[num].state.Active = active }, func() {
		if q := m.s.Sub(num); q != nil {
			m.s.SetActive(q, active, m.now)
			m.get(num).state.Active = active
		}
	})
}

func (m *model) postpone() {
	num, d, until := m.pick(), int64(0), int64(0)
	if rapid.IntRange(0, 2).Draw(m.t, "on") > 0 {
		d = int64(rapid.IntRange(1, 40).Draw(m.t, "for"))
		until = m.now + d
	}
	m.do("postpone", func() { m.s.Postpone(num, time.Duration(d), m.now); m.pauses[num] = until })
}

// ownLimit is the limit of one subscription.
type ownLimit struct {
	n     int
	until int64
}

// limit gives a subscription a limit of its own, or takes it away.
func (m *model) limit() {
	num, d := m.pick(), int64(rapid.IntRange(0, 40).Draw(m.t, "for"))
	n := rapid.IntRange(1, 6).Draw(m.t, "limit")
	m.do("limit", func() {
		m.s.Pause(num, store.Pause{For: time.Duration(d), Limit: n}, m.now)
		m.limits[num] = ownLimit{n, m.now + d}
	})
}

// limitOf returns how many of a subscription a request lets be leased at once.
func (m *model) limitOf(req *store.ClaimRequest, num uint64) int {
	own := *req
	if l := m.limits[num]; l.until > m.now {
		own.PerSubscription = l.n
	}
	return own.Limit(m.get(num).state.Health)
}

// clear ends all of a subscription.
func (m *model) clear() {
	m.flush()
	num := m.pick()
	m.commit(func() { m.endAll(num, m.last+1) }, func() {
		if q := m.s.Sub(num); q != nil {
			m.s.Clear(q, m.now)
			m.endLeases(num)
			m.unrecorded[num] = nil
		}
	})
}

// endAll ends all deliveries of a subscription that became pending before.
func (m *model) endAll(num, before uint64) {
	for seq, p := range m.file[num].pending {
		if p.became < before {
			delete(m.file[num].pending, seq)
			m.file[num].ended[seq] = p.attempts
		}
	}
}

// cancel marks all that is pending as canceled. The records of what was implicit follow in pack or
// recordCanceled.
func (m *model) cancel() {
	m.flush()
	num, seq := m.pick(), m.next()
	var canceled []uint64
	for s, p := range m.file[num].pending {
		if p.source == order.Implicit {
			canceled = append(canceled, s)
		}
	}
	again := m.newRecord(num)
	m.commit(func() { m.endAll(num, seq); again.change() }, func() {
		if q := m.s.Sub(num); q != nil {
			m.s.Cancel(q, seq, m.now)
			m.endLeases(num)
			m.unrecorded[num] = append(m.unrecorded[num], canceled...)
		}
	}, again.tell)
}

// step is a part of a commit.
type step struct{ change, tell func() }

// newRecord may revive something in the same commit.
func (m *model) newRecord(num uint64) step {
	if rapid.Bool().Draw(m.t, "alone") {
		return step{func() {}, func() {}}
	}
	seq := m.next()
	return step{
		func() { m.file[num].pending[seq] = pending{source: order.First, became: seq} },
		func() {
			p := order.Position{Seq: seq}
			m.s.Change(m.ensure(num), seq, schedule.Change{Pending: true, Position: p}, m.now)
		},
	}
}

// recordCanceled records that an implicit delivery is canceled.
func (m *model) recordCanceled() {
	m.flush()
	num := m.pick()
	if len(m.unrecorded[num]) > 0 {
		m.remove(num, m.unrecorded[num][0])
	}
}

// pack moves implicit deliveries to those that are packed.
func (m *model) pack() {
	m.flush()
	num := m.pick()
	q := m.s.Sub(num)
	if q == nil || m.last == 0 {
		return
	}
	to := rapid.Uint64Range(1, m.last).Draw(m.t, "to")
	seqs, canceled := q.ImplicitUpTo(to), slices.Clone(m.unrecorded[num])
	m.commit(func() {
		for _, seq := range seqs {
			if p, ok := m.file[num].pending[seq]; ok {
				p.source = order.Packed
				m.file[num].pending[seq] = p
			}
		}
	}, func() {
		if q := m.s.Sub(num); q != nil {
			m.s.Pack(q, seqs, func(seq uint64) bool { return slices.Contains(canceled, seq) }, m.now)
			for _, seq := range seqs {
				m.recorded(num, seq)
			}
		}
	})
}

func (m *model) restart() {
	if q := m.s.Sub(m.pick()); q != nil {
		m.do("restart", func() { m.s.Restart(q, m.now) })
	}
}

// complete tells that a subscription has nothing that is recorded.
func (m *model) complete() {
	m.flush()
	num := m.pick()
	for _, p := range m.file[num].pending {
		if p.source != order.Implicit {
			return
		}
	}
	if q := m.s.Sub(num); q != nil {
		m.do("complete", func() { m.s.Complete(q, m.now) })
	}
}

// forget deletes a subscription. Another gets its number, as none does in a store: it must hear
// nothing of the old.
func (m *model) forget() {
	num := m.pick()
	m.commit(func() {
		m.file[num] = newStored(m.state())
	}, func() {
		if q := m.s.Sub(num); q != nil {
			m.s.Forget(q)
			m.endLeases(num)
		} else {
			m.s.Postpone(num, 0, m.now)
			m.s.Pause(num, store.Pause{Limit: 1}, m.now)
		}
		delete(m.known, num)
		delete(m.unrecorded, num)
		m.pauses[num] = 0
		delete(m.limits, num)
	})
}
