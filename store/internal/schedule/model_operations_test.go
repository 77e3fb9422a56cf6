package schedule_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
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
		"seal": m.seal, "record": m.record, "record more": m.record, "release one": m.releaseOne, "gone": m.gone,
		"set health": m.setHealth, "set active": m.setActive, "postpone": m.postpone, "set host": m.setHost, "clear": m.clear,
		"forget": m.forget, "told": m.flush, "pass time": m.passTime, "pass more time": m.passTime, "expire": m.runOut,
		"claim": m.claimOne, "claim more": m.claimOne, "claim again": m.claimOne,
	}
	if m.window > 0 { // what a store does that has a file
		for name, op := range map[string]func(){
			"pack": m.pack, "cancel": m.cancel, "sweep": m.sweep, "restart": m.restart, "complete": m.complete,
			"snapshot": m.snapshot, "answer": m.answerOne, "answer more": m.answerOne, "answer again": m.answerOne,
		} {
			ops[name] = op
		}
	}
	return ops
}

// view is what can be claimed, and what room there is.
type view struct {
	free    map[[2]uint64]bool
	waiting map[uint64]bool // who had something free when the last round began
	leased  map[uint64]int
	health  map[uint64]store.Health
	classes [store.Classes]int
}

func (m *model) view() view {
	v := view{free: map[[2]uint64]bool{}, waiting: map[uint64]bool{}, leased: map[uint64]int{}, health: map[uint64]store.Health{}}
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

// do does an operation, after which somebody must be woken if more can be claimed or there is more
// room for it.
func (m *model) do(name string, operation func()) {
	before := m.view()
	m.s.TakeWake()
	m.woke = false
	operation()
	after := m.view()
	if !m.takeWake() && m.grew(before, after) {
		m.fail("after %s more can be claimed, and nobody is woken: %+v, before %+v", name, after, before)
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
			m.fail("after %s: %d is known: %v, and %d of it are leased; want %v, %d", after, num, k.q.Known(),
				k.q.Leased(), k.ok, n)
		}
		if m.before == nil && k.ok && (*k.q.Health() != f.state.Health || k.state != f.state) {
			m.fail("after %s: the health of %d is %+v; want %+v", after, num, *k.q.Health(), f.state)
		}
	}
}

func (m *model) next() uint64 { m.last++; return m.last }

// add enqueues an event.
func (m *model) add() {
	num, seq := m.pick(), m.last+1
	m.commit(func() {
		m.next()
		m.file[num].pending[seq] = pending{source: schedule.Implicit, became: seq}
	}, func() { m.s.AddImplicit(m.ensure(num), seq, m.now) })
}

// addRecord enqueues an event whose delivery has a record at once, which a key may hold back.
func (m *model) addRecord() {
	num, seq, blocked := m.pick(), m.last+1, rapid.Bool().Draw(m.t, "blocked")
	m.next()
	m.put(num, seq, pending{source: schedule.First, became: seq, blocked: blocked}, false)
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
		m.tidy(num, seq)
	}
	m.commit(func() { m.file[num].pending[seq] = p; delete(m.file[num].ended, seq) }, append(more, tell)...)
}

// remove changes a delivery that is not pending after it.
func (m *model) remove(num, seq uint64, more ...func()) {
	was := m.was(num, seq)
	tell := func() {
		if q := m.s.Sub(num); q != nil {
			m.s.Change(q, seq, schedule.Change{Was: was}, m.now)
			m.endLeases(num, seq)
			m.tidy(num, seq)
		}
	}
	m.commit(func() {
		m.file[num].ended[seq] = m.file[num].pending[seq].attempts
		delete(m.file[num].pending, seq)
	}, append(more, tell)...)
}

// was is where a delivery stands that is recorded.
func (m *model) was(num, seq uint64) *schedule.Position {
	p, ok := m.file[num].pending[seq]
	if !ok || p.blocked || p.source == schedule.Implicit {
		return nil
	}
	at := p.position(seq)
	return &at
}

// tidy notes that a delivery is in no list of canceled ones any more.
func (m *model) tidy(num, seq uint64) {
	m.zombies[num] = slices.DeleteFunc(m.zombies[num], func(z uint64) bool { return z == seq })
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
	p := pending{source: schedule.First, became: m.next(), attempts: ended[seq]}
	if p.attempts > 0 {
		p.source, p.due = schedule.Retry, rapid.SampledFrom([]int64{schedule.Asked, m.now}).Draw(m.t, "due")
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
	if p.blocked = true; p.source != schedule.Retry {
		p.source = schedule.First
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
		p.due = rapid.SampledFrom([]int64{schedule.Asked, m.now}).Draw(m.t, "due")
		m.put(num, seq, p, false)
	}
}

// end ends a delivery, whoever holds it: a late success, or an erasure.
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
	p.source, p.due = schedule.Retry, m.now+int64(rapid.IntRange(0, 40).Draw(m.t, "retryIn"))
	if rapid.IntRange(0, 2).Draw(m.t, "parked") == 0 {
		p.due = schedule.Parked(p.attempts)
	}
	m.put(h.num, h.Seq, p, true, setHealth)
}

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
func (m *model) takeHealth(num uint64, h store.Health) {
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

func (m *model) postpone() {
	num, d, until := m.pick(), int64(0), int64(0)
	if rapid.IntRange(0, 2).Draw(m.t, "on") > 0 {
		d = int64(rapid.IntRange(1, 40).Draw(m.t, "for"))
		until = m.now + d
	}
	m.do("postpone", func() { m.s.Postpone(num, time.Duration(d), m.now); m.pauses[num] = until })
}

// clear ends all of a subscription.
func (m *model) clear() {
	m.flush()
	num := m.pick()
	m.commit(func() { m.endAll(num, m.last+1) }, func() {
		if q := m.s.Sub(num); q != nil {
			m.s.Clear(q, m.now)
			m.endLeases(num)
			m.zombies[num] = nil
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
// sweep.
func (m *model) cancel() {
	m.flush()
	num, seq := m.pick(), m.next()
	var zombies []uint64
	for s, p := range m.file[num].pending {
		if p.source == schedule.Implicit {
			zombies = append(zombies, s)
		}
	}
	again := m.newRecord(num)
	m.commit(func() { m.endAll(num, seq); again.change() }, func() {
		if q := m.s.Sub(num); q != nil {
			m.s.Cancel(q, seq, m.now)
			m.endLeases(num)
			m.zombies[num] = append(m.zombies[num], zombies...)
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
		func() { m.file[num].pending[seq] = pending{source: schedule.First, became: seq} },
		func() {
			m.s.Change(m.ensure(num), seq, schedule.Change{Pending: true, Position: schedule.Position{Seq: seq}}, m.now)
		},
	}
}

// sweep records that an implicit delivery is canceled.
func (m *model) sweep() {
	m.flush()
	num := m.pick()
	if len(m.zombies[num]) > 0 {
		m.remove(num, m.zombies[num][0])
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
	seqs, zombies := q.ImplicitUpTo(to), slices.Clone(m.zombies[num])
	m.commit(func() {
		for _, seq := range seqs {
			if p, ok := m.file[num].pending[seq]; ok {
				p.source = schedule.Packed
				m.file[num].pending[seq] = p
			}
		}
	}, func() {
		if q := m.s.Sub(num); q != nil {
			m.s.Pack(q, seqs, func(seq uint64) bool { return slices.Contains(zombies, seq) }, m.now)
			for _, seq := range seqs {
				m.tidy(num, seq)
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
		if p.source != schedule.Implicit {
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
		}
		delete(m.known, num)
		delete(m.zombies, num)
		m.pauses[num] = 0
	})
}

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
		m.answer(m.loads[rapid.IntRange(0, n-1).Draw(m.t, "load")], rapid.IntRange(0, 7).Draw(m.t, "fails") == 0)
	}
}

// drain makes all that is pending claimable, and claims it as a dispatcher does: it claims when it
// is woken, when the last claim was full, and when the time has come that the last claim told. All
// must come.
func (m *model) drain() {
	m.flush()
	for len(m.loads) > 0 {
		m.answer(m.loads[0], false)
	}
	for _, h := range slices.Clone(m.leases) {
		m.release(h)
	}
	for _, num := range sorted(m.file) {
		m.commit(func() { m.file[num].state.Active = true }, func() {
			if q := m.s.Sub(num); q != nil {
				m.s.SetActive(q, true, m.now)
				m.get(num).state.Active = true
			}
		})
	}
	for range m.last {
		m.unblock()
	}
	m.flush()
	req := store.ClaimRequest{Max: 2, Lease: 50, PerSubscription: 2, PerTenant: 3, PerHost: 2, MaxUnhealthy: 2, MaxFailing: 1, BreakerThreshold: 5}
	for ready, left := true, 10_000; ; left-- {
		pendings := 0
		for _, f := range m.file {
			pendings += len(f.pending)
		}
		switch h := m.pickLease(func(*held) bool { return true }); {
		case pendings == 0 && h == nil:
			if n := m.s.Loading(); n != 0 || m.s.InFlight(nil) != 0 {
				m.fail("%d loads and %d leases are left", n, m.s.InFlight(nil))
			}
			return
		case left == 0:
			m.fail("%d deliveries are still pending", pendings)
		case ready:
			ready = m.claimAll(req)
		case h != nil:
			m.do("seal", func() { m.s.Seal(h.lease, true, m.now); h.sealed, h.counted, h.expired = true, false, false })
			ready = ready || m.woke
			m.finish(h, store.Delivered)
			m.flush()
			ready = ready || m.woke
		default:
			wait := m.s.Round(&store.ClaimRequest{Lease: 1}, m.now).NextDue()
			if wait == store.NoneDue {
				m.fail("%d deliveries are pending, and nobody knows when they are due", pendings)
			}
			m.now += int64(wait)
			ready = true
		}
		m.check("a step of the drain")
	}
}

// claimAll claims once, with the loads that takes. It reports whether the claim was full.
func (m *model) claimAll(req store.ClaimRequest) (full bool) {
	rd := m.claim(req)
	for done := m.run(rd); !done; done = !slices.Contains(m.rounds, rd) {
		m.answer(m.loads[0], false)
	}
	return len(rd.Leases) == req.Max
}

// TestMain makes the model tests short where nobody asks for more.
func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		_ = flag.Set("rapid.checks", "30")
	}
	os.Exit(m.Run())
}
