package schedule

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule/internal/heap"
	"github.com/outhook/outhook/store/internal/schedule/internal/timed"
)

// Options are what stores differ in.
type Options struct {
	// Window is how many positions a window holds at most. If zero, there is no bound: memory is
	// all that the store has.
	Window int

	// Idle is how many Subs are kept that have nothing, for what is known of them.
	Idle int

	// FirstToken is below the first token that is given out.
	FirstToken uint64
}

// Schedule decides which delivery goes next. Make one with [New]. It is not safe for concurrent
// use: the store holds its lock over each call, and over the use of what it returns.
//
// Q is what the store keeps for each subscription, L for each lease.
type Schedule[Q, L any] struct {
	// Dropped is told of each Sub that is forgotten. It may be nil, and must not call the schedule.
	Dropped func(*Sub[Q, L])

	maxWindow int

	subs[Q, L]
	idle     idle[Q, L]          // Subs that have nothing
	turns    turns[Q, L]         // of Subs that have something due
	sleepers heap.Of[*Sub[Q, L]] // Subs that have something due later

	barred // events, see Bar
	leases[Q, L]
	postponed timed.Set[struct{}] // subscriptions that nothing is claimed of for a while
	limits    timed.Set[int]      // those that have a limit of their own for a while, see Pause

	now  int64 // the latest that was given: a round may have begun with an earlier one
	wake bool  // see TakeWake
}

// New returns an empty schedule.
func New[Q, L any](o Options) *Schedule[Q, L] {
	return &Schedule[Q, L]{
		maxWindow: o.Window,
		subs:      subs[Q, L]{byNum: make(map[uint64]*Sub[Q, L])},
		idle:      idle[Q, L]{max: o.Idle},
		turns:     newTurns[Q, L](),
		leases: leases[Q, L]{
			tokens: make(map[uint64]*Lease[Q, L]), lastToken: o.FirstToken,
		},
	}
}

// Ensure returns the Sub of a subscription. A new one has nothing in its windows and nothing behind
// them; its State is asked for before anything is claimed.
func (s *Schedule[Q, L]) Ensure(num uint64) *Sub[Q, L] {
	q := s.byNum[num]
	if q == nil {
		q = s.add(num)
		_, q.postponedUntil = s.postponed.Get(num)
		q.limit, _ = s.limits.Get(num)
		q.turn.sub = q
		for i := range q.windows {
			q.windows[i] = order.Empty()
		}
	}
	return q
}

// Restart makes all windows of q load again, from their beginning.
func (s *Schedule[Q, L]) Restart(q *Sub[Q, L], now int64) {
	for i := range q.windows {
		q.windows[i].Restart(order.Position{})
	}
	s.Reschedule(q, now)
	s.wake = true // it may have been known to have nothing
}

// SetState takes in whether anything may be claimed of q, and its health, which must not be changed
// afterwards.
func (s *Schedule[Q, L]) SetState(q *Sub[Q, L], state State, now int64) {
	s.now = max(s.now, now)
	s.turns.place(q, &state)
	s.setState(q, state.Active, state.health())
	q.known = true
	s.Reschedule(q, now)
}

// SetHost takes in that the attempts of q go to another host and port.
func (s *Schedule[Q, L]) SetHost(q *Sub[Q, L], name string, now int64) {
	q.states++ // a State that is being loaded may have the old one
	if !q.known || q.host.is(name) {
		return
	}
	s.turns.moveToHost(q, name)
	s.Reschedule(q, now)
	s.wake = s.wake || s.hasDue()
}

// SetActive takes in whether anything may be claimed of q.
func (s *Schedule[Q, L]) SetActive(q *Sub[Q, L], active bool, now int64) {
	if active && !q.known {
		s.wake = true // Reschedule does not look at a Sub whose State is not loaded
	}
	s.setState(q, active, q.health)
	s.Reschedule(q, now)
}

// SetHealth changes the health of q, and with it the class that its leases count in. The schedule
// keeps health, which must not be changed afterwards.
func (s *Schedule[Q, L]) SetHealth(q *Sub[Q, L], health *store.Health, now int64) {
	s.setState(q, q.active, health)
	s.Reschedule(q, now)
}

// setState must be followed by Reschedule.
func (s *Schedule[Q, L]) setState(q *Sub[Q, L], active bool, health *store.Health) {
	s.turns.readmit(q) // its limit may have changed
	class := health.Class()
	if class != q.class && q.leased > 0 ||
		health.SlowStart < q.health.SlowStart || health.Failures < q.health.Failures {
		s.wake = s.wake || s.hasDue() // its old class has room now, or its limit is higher
	}
	// Leases move with it, also those that were taken when it was of another class: or else what a
	// class has would never come out even as they end.
	s.leased[q.class] -= q.leased
	s.leased[class] += q.leased
	q.active, q.health, q.class = active, health, class
	q.heldUntil = holdOf(health)
	q.pace = int64(health.Pace)
	if probing := s.turns.limits.isProbe(health); probing != q.probing {
		q.probing = probing
		s.wake = true // a probe may take what is not due yet
	}
	q.states++ // a State that is being loaded is older than this
}

// holdOf returns until when health holds a subscription.
func holdOf(health *store.Health) int64 {
	return max(Nanos(health.NextProbeAt), Nanos(health.HeldUntil))
}

// Forget drops a Sub: the subscription is gone. Its leases end.
func (s *Schedule[Q, L]) Forget(q *Sub[Q, L]) {
	s.endLeases(q)
	s.postponed.Remove(q.Num)
	s.limits.Remove(q.Num)
	s.drop(q)
}

// Reschedule puts q where it belongs after a change, also one by the store of what it keeps of q,
// such as Pinned: into its turn if something of it can be claimed, to sleep until something else
// can, among the idle if it has nothing. An unknown one waits for its State.
func (s *Schedule[Q, L]) Reschedule(q *Sub[Q, L], now int64) {
	if s.byNum[q.Num] != q || !q.known {
		return
	}
	// A round may have begun with an earlier time, and what was due by a later one must stay so: it
	// has left the sleepers, and nothing would bring it back.
	s.now = max(s.now, now)
	now = s.now
	if q.active && !q.blocked(now) && q.hasDue(now) {
		s.wake = s.turns.enter(q) || s.wake
	} else {
		s.turns.leave(q)
	}
	before := q.wakeAt
	q.wakeAt = 0
	if q.active {
		q.wakeAt = q.wake(now)
	}
	if q.wakeAt != 0 && (before == 0 || q.wakeAt < before) {
		s.wake = true // claims have told a later time
	}
	if q.wakeAt != 0 {
		s.sleepers.Set(q)
	} else {
		s.sleepers.Drop(q)
	}
	if longest := s.idle.note(q); longest != nil {
		s.drop(longest)
	}
}

// drop forgets a Sub.
func (s *Schedule[Q, L]) drop(q *Sub[Q, L]) {
	s.turns.leave(q)
	s.turns.forget(q)
	s.sleepers.Drop(q)
	s.idle.remove(q)
	delete(s.byNum, q.Num)
	if s.Dropped != nil {
		s.Dropped(q)
	}
}

// TakeWake reports whether something may have become claimable since it was last asked, other than
// by time: the store then fills the slot of Ready.
func (s *Schedule[Q, L]) TakeWake() bool {
	wake := s.wake
	s.wake = false
	return wake
}

// hasDue reports whether something could be claimed if only the limits let it.
func (s *Schedule[Q, L]) hasDue() bool { return len(s.unknown) > 0 || s.turns.any() }
