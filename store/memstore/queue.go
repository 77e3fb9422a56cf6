package memstore

import (
	"slices"
	"time"

	"github.com/outhook/outhook/store/internal/schedule"
)

// What follows tells the schedule how deliveries have changed. Keys are this store's: the
// schedule hears of a delivery as blocked while an earlier one of its key is pending.

// add takes in a delivery that has become pending.
func (s *Store) add(d *delivery, now time.Time) {
	sub := d.sub
	if key := d.event.key; key != "" {
		same := sub.keyed[key]
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
// others of its key stood behind it, the next is let go.
func (s *Store) remove(d *delivery, now time.Time) {
	s.change(d, schedule.Change{}, now)
	sub, key := d.sub, d.event.key
	if key == "" {
		return
	}
	i, found := slices.BinarySearchFunc(sub.keyed[key], d, byEvent)
	if !found {
		return
	}
	same := slices.Delete(sub.keyed[key], i, i+1)
	if len(same) == 0 {
		delete(sub.keyed, key)
		return
	}
	sub.keyed[key] = same
	if i == 0 {
		s.queueUp(same[0], false, now)
	}
}

// queueUp tells the schedule where a pending delivery stands. endLease says that a lease on it
// ends.
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

// change passes a change on to the schedule, with where the delivery stood before.
func (s *Store) change(d *delivery, c schedule.Change, now time.Time) {
	c.Was = d.position
	d.position = nil
	if c.Pending && !c.Blocked {
		d.position = &c.Position
	}
	s.schedule.Change(d.sub.turns, d.event.num, c, now.UnixNano())
}

func byEvent(a, b *delivery) int { return compareEvents(a.event, b.event) }
