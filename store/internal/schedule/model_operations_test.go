package schedule_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule"
	"pgregory.net/rapid"
)

// TestModel does operations at random, and looks after each whether all that the package promises
// holds.
func TestModel(t *testing.T) {
	for _, window := range []int{0, 1, 3} {
		t.Run(fmt.Sprintf("window=%d", window), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				m := newModel(t, window)
				operations := m.operations()
				for range rapid.IntRange(20, 200).Draw(t, "operations") {
					name := rapid.SampledFrom(sortedNames(operations)).Draw(t, "operation")
					operations[name]()
					m.check(name)
				}
				m.drain()
			})
		})
	}
}

func sortedNames(of map[string]func()) []string {
	var names []string
	for name := range of {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (m *model) operations() map[string]func() {
	ops := map[string]func(){
		"add": m.add, "add more": m.add, "add record": m.addRecord, "revive": m.revive,
		"block": m.block, "unblock": m.unblock, "hasten": m.hasten, "end": m.end,
		"seal": m.seal, "record": m.record, "record more": m.record,
		"release one": m.releaseOne, "gone": m.gone,
		"set health": m.setHealth, "set active": m.setActive, "set host": m.setHost,
		"postpone": m.postpone, "limit": m.limit, "clear": m.clear, "forget": m.forget, "told": m.flush,
		"pass time": m.passTime, "pass more time": m.passTime, "expire": m.runOut,
		"claim": m.claimOne, "claim more": m.claimOne, "claim again": m.claimOne,
	}
	if m.window > 0 { // what a store does that has a file
		for name, op := range map[string]func(){
			"pack": m.pack, "cancel": m.cancel, "record canceled": m.recordCanceled,
			"restart": m.restart, "complete": m.complete, "snapshot": m.snapshot,
			"answer": m.answerOne, "answer more": m.answerOne, "answer again": m.answerOne,
		} {
			ops[name] = op
		}
	}
	return ops
}

func (m *model) next() uint64 { m.last++; return m.last }

// add enqueues an event.
func (m *model) add() {
	num, seq := m.pick(), m.last+1
	m.commit(func() {
		m.next()
		m.file[num].pending[seq] = pending{source: order.Implicit, became: seq}
	}, func() { m.s.AddImplicit(m.ensure(num), seq, m.now) })
}

// addRecord enqueues an event whose delivery has a record at once, which a key may hold back.
func (m *model) addRecord() {
	num, seq, blocked := m.pick(), m.last+1, rapid.Bool().Draw(m.t, "blocked")
	m.next()
	m.put(num, seq, pending{source: order.First, became: seq, blocked: blocked}, false)
}

// put changes a delivery that is pending after it.
func (m *model) put(num, seq uint64, p pending, endLease bool, more ...func()) {
	was := m.was(num, seq)
	tell := func() {
		m.s.Change(m.ensure(num), seq, schedule.Change{
			Pending: true, Blocked: p.blocked, Position: p.position(seq), EndLease: endLease, Was: was,
		}, m.now)
		if endLease {
			m.endLeases(num, seq)
		}
		m.recorded(num, seq)
	}
	m.commit(
		func() { m.file[num].pending[seq] = p; delete(m.file[num].ended, seq) },
		append(more, tell)...)
}

// remove changes a delivery that is not pending after it.
func (m *model) remove(num, seq uint64, more ...func()) {
	was := m.was(num, seq)
	tell := func() {
		if q := m.s.Sub(num); q != nil {
			m.s.Change(q, seq, schedule.Change{Was: was}, m.now)
			m.endLeases(num, seq)
			m.recorded(num, seq)
		}
	}
	m.commit(func() {
		m.file[num].ended[seq] = m.file[num].pending[seq].attempts
		delete(m.file[num].pending, seq)
	}, append(more, tell)...)
}

// was is where a delivery stands that is recorded.
func (m *model) was(num, seq uint64) *order.Position {
	p, ok := m.file[num].pending[seq]
	if !ok || p.blocked || p.source == order.Implicit {
		return nil
	}
	at := p.position(seq)
	return &at
}

// recorded notes that a delivery is in no list of canceled ones any more.
func (m *model) recorded(num, seq uint64) {
	m.unrecorded[num] = slices.DeleteFunc(m.unrecorded[num], func(z uint64) bool { return z == seq })
}

// ended takes in that a lease has ended.
func (m *model) ended(h *held) {
	h.ended, h.counted = true, false
	m.leases = slices.DeleteFunc(m.leases, func(o *held) bool { return o == h })
}

func (m *model) endLeases(num uint64, seqs ...uint64) {
	for _, h := range slices.Clone(m.leases) {
		if h.num == num && (seqs == nil || slices.Contains(seqs, h.Seq)) {
			m.ended(h)
		}
	}
}

// revive makes a delivery pending again that has ended.
func (m *model) revive() {
	m.flush()
	num := m.pick()
	ended := m.file[num].ended
	if len(ended) == 0 {
		return
	}
	seq := rapid.SampledFrom(sorted(ended)).Draw(m.t, "event")
	p := pending{source: order.First, became: m.next(), attempts: ended[seq]}
	if p.attempts > 0 {
		p.source = order.Retry
		p.due = rapid.SampledFrom([]int64{order.Asked, m.now}).Draw(m.t, "due")
	}
	m.put(num, seq, p, false)
}

// block makes a delivery wait for an earlier one of its key.
func (m *model) block() {
	m.flush()
	num, seq, p, ok := m.pickPending(func(num, seq uint64, p pending) bool { return !p.blocked })
	if !ok {
		return
	}
	if p.blocked = true; p.source != order.Retry {
		p.source = order.First
	}
	m.put(num, seq, p, false)
}

func (m *model) unblock() {
	m.flush()
	num, seq, p, ok := m.pickPending(func(num, seq uint64, p pending) bool { return p.blocked })
	if ok {
		p.blocked = false
		m.put(num, seq, p, false)
	}
}

// hasten makes a retry due.
func (m *model) hasten() {
	m.flush()
	num, seq, p, ok := m.pickPending(func(num, seq uint64, p pending) bool {
		return p.due > m.now && !p.blocked && !m.busy(num, seq)
	})
	if ok {
		p.due = rapid.SampledFrom([]int64{order.Asked, m.now}).Draw(m.t, "due")
		m.put(num, seq, p, false)
	}
}

// end ends a delivery, leased or not: a late success, or an erasure.
func (m *model) end() {
	m.flush()
	if num, seq, _, ok := m.pickPending(func(uint64, uint64, pending) bool { return true }); ok {
		m.remove(num, seq)
	}
}

// gone is what a store does that finds a leased delivery gone, before it has told the schedule why.
func (m *model) gone() {
	h := m.pickLease(func(h *held) bool {
		_, pending := m.file[h.num].pending[h.Seq]
		return !pending && !h.sealed
	})
	if h != nil {
		m.do("gone", func() {
			m.s.End(h.lease, m.now)
			m.ended(h)
			delete(m.told()[h.num].pending, h.Seq)
		})
	}
}

// seal begins the recording of an outcome.
func (m *model) seal() {
	h := m.pickLease(func(h *held) bool { return !h.sealed })
	if h == nil {
		return
	}
	freesRoom := rapid.Bool().Draw(m.t, "frees room")
	m.do("seal", func() {
		m.s.Seal(h.lease, freesRoom, m.now)
		h.sealed, h.expired = true, false
		h.counted = h.counted && !freesRoom
	})
}

// record ends it: the outcome is recorded, ignored, or it fails.
func (m *model) record() {
	m.flush()
	h := m.pickLease(func(h *held) bool { return h.sealed })
	if h == nil {
		return
	}
	switch rapid.IntRange(0, 5).Draw(m.t, "outcome") {
	case 0:
		m.do("unseal", func() {
			m.s.Unseal(h.lease)
			h.sealed, h.counted = false, true
		})
	case 1:
		m.release(h)
	case 2, 3:
		m.finish(h, store.Delivered)
	default:
		m.finish(h, store.Pending)
	}
}

// finish commits an outcome.
func (m *model) finish(h *held, state store.State) {
	m.flush()
	p, ok := m.file[h.num].pending[h.Seq]
	if !ok {
		return
	}
	p.attempts++
	setHealth := m.newHealth(h.num)
	if state == store.Delivered {
		m.remove(h.num, h.Seq, setHealth)
		m.file[h.num].ended[h.Seq] = p.attempts
		return
	}
	p.source, p.due = order.Retry, m.now+int64(rapid.IntRange(0, 40).Draw(m.t, "retryIn"))
	if rapid.IntRange(0, 2).Draw(m.t, "parked") == 0 {
		p.due = order.Parked(p.attempts)
	}
	m.put(h.num, h.Seq, p, true, setHealth)
}

// release gives a lease back.
func (m *model) release(h *held) {
	if h == nil {
		return
	}
	m.do("release", func() {
		m.s.Release(h.lease, m.now)
		if !h.ended {
			m.ended(h)
		}
	})
}

func (m *model) releaseOne() { m.release(m.pickLease(func(h *held) bool { return !h.sealed })) }

func (m *model) passTime() {
	m.now += int64(rapid.IntRange(1, 15).Draw(m.t, "time"))
	m.forgetWaiting()
}

func (m *model) runOut() { m.do("expire", func() { m.s.Expire(m.now); m.expire() }) }

func (m *model) claimOne() {
	if len(m.rounds) < 3 {
		m.run(m.claim(m.request()))
	}
}

// snapshot reads the file for a load, which is answered later.
func (m *model) snapshot() {
	for _, l := range m.loads {
		if l.loaded == nil {
			loaded := m.read(&l.lack)
			l.loaded = &loaded
			return
		}
	}
}

func (m *model) answerOne() {
	if n := len(m.loads); n > 0 {
		l := m.loads[rapid.IntRange(0, n-1).Draw(m.t, "load")]
		m.answer(l, rapid.IntRange(0, 7).Draw(m.t, "fails") == 0)
	}
}
