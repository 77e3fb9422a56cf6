package memstore

import (
	"slices"
	"time"

	"github.com/outhook/outhook/store/internal/schedule"
)

// What follows tells the schedule how deliveries have changed. Keys are this store's: the
// schedule hears of a delivery as blocked while an earlier one of its key is pending.

// add takes in a delivery that has become pending. The lock is held.
func (s *Store) add(d *delivery, now time.Time) {
	sub := d.sub
	s.addPending(sub.Tenant, 1)
	if key := d.event.key; key != "" {
		same := sub.keyed[key]
		// By event, and not at the end: a redelivery of an old event stands before newer ones.
		i, _ := slices.BinarySearchFunc(same, d, byEvent)
		first := d
		if len(same) > 0 {
			first = same[0]
		}
		sub.keyed[key] = slices.Insert(same, i, d)
		if first != d && i == 0 { // it was the first until now, and may be leased
			s.queueUp(first, false, now)
		}
	}
	if d.isNext() && s.log.isNew(d.event) { // the implicit list is made for what comes last
		s.schedule.AddImplicit(sub.turns, d.event.num, now.UnixNano())
		return
	}
	s.queueUp(d, false, now)
}

// remove takes out a delivery that is not pending any more. Its lease, if there is one, ends. If
// others of its key stood behind it, the next is let go. The lock is held.
func (s *Store) remove(d *delivery, now time.Time) {
	// First, since it ends the lease; the next of the key is told after that.
	s.change(d, schedule.Change{}, now)
	sub, key := d.sub, d.event.key
	s.addPending(sub.Tenant, -1)
	if key == "" {
		return
	}
	i, found := slices.BinarySearchFunc(sub.keyed[key], d, byEvent)
	if !found {
		return
	}
	same := slices.Delete(sub.keyed[key], i, i+1)
	if len(same) == 0 {
		// So that keys that were used once take no memory.
		delete(sub.keyed, key)
		return
	}
	sub.keyed[key] = same
	// Otherwise the first one still stands, and those behind it stay blocked.
	if i == 0 {
		s.queueUp(same[0], false, now)
	}
}

// queueUp tells the schedule where a pending delivery stands. endLease says that a lease on it
// ends. A first attempt stands by its event alone, and has no time; a retry stands by when it is
// due.
func (s *Store) queueUp(d *delivery, endLease bool, now time.Time) {
	p := schedule.Position{Seq: d.event.num}
	switch {
	case d.atOnce != 0:
		p.Due = d.atOnce
	case len(d.attempts) > 0:
		p.Due = d.due.UnixNano()
	}
	s.change(d, schedule.Change{
		Pending: true, Blocked: !d.isNext(), Position: p, EndLease: endLease,
	}, now)
}

// change passes a change on to the schedule, with where the delivery stood before. All changes of a
// recorded delivery go this way, so position is always what the schedule was told last.
func (s *Store) change(d *delivery, c schedule.Change, now time.Time) {
	// The schedule's windows have no bound here, and it finds the old place by this instead of
	// searching.
	c.Was = d.position
	// What is blocked or not pending has no position for the next change to name.
	d.position = nil
	if c.Pending && !c.Blocked {
		d.position = &c.Position
	}
	s.schedule.Change(d.sub.turns, d.event.num, c, now.UnixNano())
}

// byEvent orders the deliveries of a key: they are attempted in the order of Enqueue.
func byEvent(a, b *delivery) int { return compareEvents(a.event, b.event) }
