package schedule_test

import (
	"github.com/outhook/outhook/store"
)

// view is what can be claimed, and what room there is.
type view struct {
	free    map[[2]uint64]bool
	waiting map[uint64]bool // had something free when the last round began
	leased  map[uint64]int
	health  map[uint64]*store.Health
	classes [store.Classes]int
}

func (m *model) view() view {
	v := view{
		free:    map[[2]uint64]bool{},
		waiting: map[uint64]bool{},
		leased:  map[uint64]int{},
		health:  map[uint64]*store.Health{},
	}
	for num := range m.told() {
		for _, p := range m.surelyFree(num) {
			v.free[[2]uint64{num, p.Seq}] = true
		}
		now := m.now
		m.now = m.began
		if m.hasFree(num) {
			v.waiting[num] = true
		}
		m.now = now
		v.leased[num], v.classes = m.leasedBy(num)
		v.health[num] = m.get(num).state.Health
	}
	return v
}

// do does an operation, after which there must be a wake-up if more can be claimed or there is more
// room for it.
func (m *model) do(name string, operation func()) {
	before := m.view()
	m.s.TakeWake()
	m.woke = false
	operation()
	after := m.view()
	if !m.takeWake() && m.grew(before, after) {
		m.fail("after %s more can be claimed, and there is no wake-up: %+v, before %+v",
			name, after, before)
	}
	m.forgetWaiting()
}

func (m *model) takeWake() bool {
	m.woke = m.s.TakeWake() || m.woke
	return m.woke
}

func (m *model) grew(before, after view) bool {
	for d := range after.free {
		if !before.free[d] {
			return true
		}
	}
	if len(after.waiting) == 0 {
		return false
	}
	const failing, untried, slow = store.ClassFailing, store.ClassNew, store.ClassSlow
	unhealthy := func(v view) int { return v.classes[failing] + v.classes[untried] + v.classes[slow] }
	if after.classes[failing] < before.classes[failing] || unhealthy(after) < unhealthy(before) {
		return true
	}
	for num, n := range after.leased {
		b, a := before.health[num], after.health[num]
		if after.waiting[num] &&
			(n < before.leased[num] || n > 0 && (a.SlowStart < b.SlowStart || a.Failures < b.Failures)) {
			return true
		}
	}
	return false
}

// check says whether all is in order inside.
func (m *model) check(after string) {
	loads := make(map[uint64]int)
	for _, l := range m.loads {
		if l.q == m.s.Sub(l.lack.Num) {
			loads[l.lack.Num]++
		}
	}
	if err := m.s.Check(loads); err != nil {
		m.fail("after %s: %v", after, err)
	}
	for token, h := range m.tokens {
		if good := !h.ended && !h.sealed; (m.s.Present(token) != nil) != good || h.Ended() != h.ended {
			m.fail("after %s: token %d is good: %v; want %v", after, token, !good, good)
		}
	}
	for num, f := range m.file {
		k := m.get(num)
		if k.q == nil {
			continue
		}
		if n, _ := m.leasedBy(num); k.q.Known() != k.ok || k.q.Leased() != n {
			m.fail("after %s: %d is known: %v, and %d of it are leased; want %v, %d",
				after, num, k.q.Known(), k.q.Leased(), k.ok, n)
		}
		if m.before == nil && k.ok && (*k.q.Health() != *f.state.Health || k.state != f.state) {
			m.fail("after %s: the health of %d is %+v; want %+v", after, num, *k.q.Health(), f.state)
		}
	}
}
