package schedule

import (
	"math"

	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule/internal/implicit"
)

// What follows tells the schedule how deliveries have changed.

// AddImplicit takes in the new first attempt of an event, which only memory lists.
func (s *Schedule[Q, L]) AddImplicit(q *Sub[Q, L], seq uint64, now int64) {
	q.implicit.Add(seq)
	s.Reschedule(q, now)
	s.wake = true
}

// Change is the new state of a delivery that is recorded in the store.
type Change struct {
	Pending  bool           // it is pending
	Blocked  bool           // and an earlier one of its key blocks it
	Position order.Position // where it stands, unless it is blocked
	EndLease bool           // a lease on it ends; it always does if the delivery is not pending

	// Was is where it stood before if it was pending, free and recorded, as far as the store knows.
	// It is looked at where windows have no bound; in others the delivery is looked for.
	Was *order.Position
}

// Change takes in the new state of a delivery. It is not in the implicit list any more, nor among
// the packed ones.
func (s *Schedule[Q, L]) Change(q *Sub[Q, L], seq uint64, c Change, now int64) {
	s.now = max(s.now, now)
	l := q.leases[seq]
	q.implicit.Remove(seq)
	if l == nil || l.expired {
		q.forget(seq, c.Was, s.maxWindow)
	} else if q.loading > 0 {
		q.changes.remove(seq)
	}
	switch {
	case l != nil && (c.EndLease || !c.Pending):
		s.endLease(l)
		l = nil
	case l != nil:
		l.home, l.blocked, l.position = c.Position.Source(), c.Blocked, c.Position
	}
	if c.Pending && !c.Blocked && (l == nil || l.expired) {
		q.add(c.Position, c.Position.Source(), s.maxWindow)
	}
	s.Reschedule(q, now)
	if c.Pending {
		s.wake = true
	}
}

// forget takes a delivery out of the windows. Those with a bound are short enough to be searched;
// in others it stands where was says.
func (q *Sub[Q, L]) forget(seq uint64, was *order.Position, maxWindow int) {
	switch {
	case maxWindow > 0:
		for i := range q.windows {
			q.windows[i].Remove(seq)
		}
	case was != nil:
		q.windows[was.Source()].RemovePosition(*was)
	}
	if q.loading > 0 {
		q.changes.remove(seq)
	}
}

// retake takes the delivery of a lease that has run out from its source once more.
func (q *Sub[Q, L]) retake(l *Lease[Q, L], maxWindow int) {
	q.implicit.Take(l.Seq)
	q.forget(l.Seq, &l.position, maxWindow)
}

// Pack takes in that first attempts of the implicit list are now among the packed ones. canceled
// says which of them are not pending any more.
func (s *Schedule[Q, L]) Pack(
	q *Sub[Q, L], seqs []uint64, canceled func(seq uint64) bool, now int64,
) {
	for _, seq := range seqs {
		q.implicit.Remove(seq)
		l := q.leases[seq]
		if l != nil { // also one that has run out: an outcome may still come, and looks there
			l.home = order.Packed
		}
		if (l == nil || l.expired) && !canceled(seq) {
			q.add(order.Position{Seq: seq}, order.Packed, s.maxWindow)
		}
	}
	s.Reschedule(q, now)
}

// Cancel takes in that all deliveries are canceled that became pending before seq. Their leases
// end. What is not canceled is loaded again.
func (s *Schedule[Q, L]) Cancel(q *Sub[Q, L], seq uint64, now int64) {
	s.endLeases(q)
	q.implicit.Cancel(seq)
	q.implicit.PutBackAll()
	// First attempts keep their numbers, so the rest comes after.
	q.windows[order.Packed].Restart(order.Position{Seq: seq})
	q.windows[order.First].Restart(order.Position{})
	q.windows[order.Retry].Restart(order.Position{})
	q.changes = changes{} // no load that has begun is taken any more; later ones see the canceling
	s.Reschedule(q, now)
}

// ReloadRecorded makes the windows of what has a record of its own load again, from their
// beginning.
func (s *Schedule[Q, L]) ReloadRecorded(q *Sub[Q, L], now int64) {
	q.windows[order.First].Restart(order.Position{})
	q.windows[order.Retry].Restart(order.Position{})
	s.Reschedule(q, now)
}

// CancelImplicit marks what is in the implicit list before seq as canceled.
func (q *Sub[Q, L]) CancelImplicit(seq uint64) { q.implicit.Cancel(seq) }

// Clear takes in that nothing is pending of q. Its leases end.
func (s *Schedule[Q, L]) Clear(q *Sub[Q, L], now int64) {
	s.endLeases(q)
	q.implicit = implicit.List{}
	s.Complete(q, now)
}

// Complete takes in that the windows hold nothing, and that there is nothing behind them.
func (s *Schedule[Q, L]) Complete(q *Sub[Q, L], now int64) {
	for i := range q.windows {
		q.windows[i].Load(nil, order.Position{Due: math.MaxInt64, Seq: math.MaxUint64}, true)
	}
	q.changes = changes{} // no load that has begun is taken any more
	s.Reschedule(q, now)
}
