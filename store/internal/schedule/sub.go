package schedule

import (
	"container/list"
	"math"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule/internal/implicit"
)

// Sub is what the schedule knows of a subscription that has something pending or leased, or had
// until lately. Q is what the store keeps beside it.
type Sub[Q, L any] struct {
	Num  uint64 // the store's number for the subscription
	Data Q      // the store's own

	// Pinned keeps the schedule from forgetting the Sub although it has nothing to claim: Data has
	// something that must not be lost. The store sets it before it calls a method with the Sub.
	Pinned bool

	id             uint64        // of all Subs that there were
	known          bool          // active and health have been given
	active         bool          // deliveries may be claimed at all
	health         *store.Health // never changed in place; never nil
	class          store.Class
	states         uint32 // changes with these, so that a load of older ones is told apart
	probing        bool   // its breaker is open: one attempt at a time, and next chooses otherwise
	heldUntil      int64  // until when health holds the subscription: a probe or a throttle
	pace           int64  // the least time between two leases, as health says
	lastLease      int64  // when the last one began
	postponedUntil int64  // until when nothing is claimed; health has no say in it
	limit          int    // in place of PerSubscription; 0 if it has none of its own

	implicit   implicit.List
	windows    [order.Windows]order.Window
	loading    int // how many loads are on their way
	changes    changes
	leases     map[uint64]*Lease[Q, L] // by event
	leased     int                     // how many count against limits
	retryFirst bool                    // whose turn it is if both first attempts and retries are due

	tenant *tenant[Q, L] // nil until its State is known
	host   *host[Q, L]   // nil if none is known
	turn   turn[Q, L]
	idle   *list.Element // its element among those that have nothing, nil if it has something

	wakeAt  int64 // when something becomes claimable that is not now; 0 if nothing does
	wakePos int   // its index among the sleepers
}

func (q *Sub[Q, L]) Before(o *Sub[Q, L]) bool { return q.wakeAt < o.wakeAt }
func (q *Sub[Q, L]) Index() *int              { return &q.wakePos }

// Known reports whether the schedule has been given the subscription's state and health.
func (q *Sub[Q, L]) Known() bool { return q.known }

// Health returns the subscription's health, which is for reading only and stays as it is.
func (q *Sub[Q, L]) Health() *store.Health { return q.health }

// Leased returns how many of its leases count against limits.
func (q *Sub[Q, L]) Leased() int { return q.leased }

// blockedUntil returns when the last of its hold and its postponement ends, and its pace lets it go
// on.
func (q *Sub[Q, L]) blockedUntil() int64 {
	at := max(q.heldUntil, q.postponedUntil)
	if q.pace > 0 {
		at = max(at, q.lastLease+q.pace)
	}
	return at
}

// blocked reports whether nothing may be claimed for now.
func (q *Sub[Q, L]) blocked(now int64) bool { return q.blockedUntil() > now }

// empty reports whether nothing of q needs to be remembered.
func (q *Sub[Q, L]) empty() bool {
	for i := range q.windows {
		if q.windows[i].Maybe() {
			return false
		}
	}
	listed, _ := q.implicit.Len()
	return !q.Pinned && listed == 0 && len(q.leases) == 0 && q.loading == 0
}

// hasDue reports whether something may be due.
func (q *Sub[Q, L]) hasDue(now int64) bool {
	if _, ok := q.implicit.Peek(); ok {
		return true
	}
	if q.windows[order.Packed].Maybe() || q.windows[order.First].Maybe() ||
		q.windows[order.Retry].NeedsLoad() {
		return true
	}
	_, ok := q.nextRetry(now)
	return ok
}

// nextRetry returns the first retry that may be taken; ok is false if there is none. A probe may
// take one that is not due, unless it is not to start before its time.
func (q *Sub[Q, L]) nextRetry(now int64) (p order.Position, ok bool) {
	if q.probing {
		return q.windows[order.Retry].Probe(now)
	}
	p, ok = q.windows[order.Retry].First()
	return p, ok && p.Due <= now
}

// wake returns when something of q becomes claimable that is not now, other than by the end of a
// lease; 0 if nothing does.
func (q *Sub[Q, L]) wake(now int64) int64 {
	if q.blocked(now) && q.hasDue(now) {
		return q.blockedUntil()
	}
	// For a probe nothing gets due but what is not to start before its time: it takes any other, or
	// waits for the lease of another probe.
	if _, ok := q.nextRetry(now); ok && q.probing {
		return 0
	}
	if p, ok := q.windows[order.Retry].After(now); ok {
		return max(p.Due, q.blockedUntil())
	}
	return 0
}

// needsLoad reports whether a window must be loaded before it is known what is next.
func (q *Sub[Q, L]) needsLoad() bool {
	if q.probing {
		// What was asked for stands before all others, so the rest need not be known.
		if p, ok := q.windows[order.Retry].First(); ok && p.Due == order.Asked {
			return false
		}
		return q.windows[order.Retry].NeedsLoad() || q.windows[order.Packed].LacksNewest() ||
			q.windows[order.First].LacksNewest()
	}
	return q.windows[order.Packed].NeedsLoad() || q.windows[order.First].NeedsLoad() ||
		q.windows[order.Retry].NeedsLoad()
}

const noneKnown = order.Implicit + 1 // no source

// next returns the delivery whose turn it is; ok is false if none is due. No window may need a
// load.
func (q *Sub[Q, L]) next(now int64) (p order.Position, from order.Source, ok bool) {
	if q.probing {
		return q.nextProbe(now)
	}
	// One event is in one of the three, and each is in the order of events: the least of their
	// heads is the oldest first attempt.
	first, from := order.Position{Seq: math.MaxUint64}, noneKnown
	if seq, ok := q.implicit.Peek(); ok {
		first.Seq, from = seq, order.Implicit
	}
	for _, source := range [...]order.Source{order.Packed, order.First} {
		if p, ok := q.windows[source].First(); ok && p.Seq < first.Seq {
			first, from = p, source
		}
	}
	retry, ok := q.nextRetry(now)
	if ok && (from == noneKnown || q.retryFirst) {
		return retry, order.Retry, true
	}
	return first, from, from != noneKnown
}

// nextProbe returns the delivery that is to find out whether the endpoint is back. That is what was
// asked for, or else the newest first attempt, so that no old delivery or type of event that the
// endpoint does not digest stands between it and the rest. When all were tried, it is what was
// tried the least, due or not, but for what is not to start before its time.
func (q *Sub[Q, L]) nextProbe(now int64) (p order.Position, from order.Source, ok bool) {
	retry, hasRetry := q.nextRetry(now)
	if hasRetry && retry.Due == order.Asked {
		return retry, order.Retry, true
	}
	from = noneKnown
	if seq, ok := q.implicit.PeekLast(); ok {
		p.Seq, from = seq, order.Implicit
	}
	for _, source := range [...]order.Source{order.Packed, order.First} {
		if last, ok := q.windows[source].Last(); ok && last.Seq > p.Seq {
			p, from = last, source
		}
	}
	if from == noneKnown && hasRetry {
		return retry, order.Retry, true
	}
	return p, from, from != noneKnown
}

// take removes the delivery that next has returned from its source.
func (q *Sub[Q, L]) take(p order.Position, from order.Source) {
	if from == order.Implicit {
		q.implicit.Take(p.Seq)
		return
	}
	q.windows[from].RemovePosition(p)
}

// add puts a free delivery into a window.
func (q *Sub[Q, L]) add(p order.Position, to order.Source, max int) {
	q.windows[to].Add(p, max)
	if q.loading > 0 {
		q.changes.add(p, to)
	}
}

// Busy reports whether a lease runs on the delivery.
func (q *Sub[Q, L]) Busy(seq uint64) bool {
	l := q.leases[seq]
	return l != nil && !l.expired
}

// ImplicitUpTo returns the events of its implicit list that are not above seq, canceled ones
// included.
func (q *Sub[Q, L]) ImplicitUpTo(seq uint64) []uint64 { return q.implicit.UpTo(seq) }

// ImplicitDown and ImplicitUp return at most n events of its implicit list, from seq on in that
// direction, canceled ones included.
func (q *Sub[Q, L]) ImplicitDown(seq uint64, n int) []uint64 { return q.implicit.DownFrom(seq, n) }
func (q *Sub[Q, L]) ImplicitUp(seq uint64, n int) []uint64   { return q.implicit.UpFrom(seq, n) }

// ImplicitFirst returns the first event of its implicit list, canceled or not; ok is false if the
// list is empty.
func (q *Sub[Q, L]) ImplicitFirst() (seq uint64, ok bool) { return q.implicit.First() }

// ImplicitPending returns how many deliveries of its implicit list are pending, and the first of
// them.
func (q *Sub[Q, L]) ImplicitPending() (n int, oldest uint64) {
	oldest, _ = q.implicit.Oldest()
	return q.ImplicitCount(), oldest
}

// ImplicitCount is ImplicitPending without the first, which takes a search.
func (q *Sub[Q, L]) ImplicitCount() int {
	_, n := q.implicit.Len()
	return n
}

// PackedFloor returns an event below which nothing of q is pending among the packed ones.
func (q *Sub[Q, L]) PackedFloor() uint64 {
	floor := uint64(math.MaxUint64)
	switch w := &q.windows[order.Packed]; {
	case w.Len() > 0:
		p, _ := w.First()
		floor = p.Seq
	case !w.Complete():
		floor = w.UpTo().Seq + 1
	}
	for _, l := range q.leases {
		if l.home == order.Packed {
			floor = min(floor, l.Seq)
		}
	}
	return floor
}

// PackedMaybe reports whether there may be something among the packed ones.
func (q *Sub[Q, L]) PackedMaybe() bool { return q.windows[order.Packed].Maybe() }
