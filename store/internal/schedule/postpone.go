package schedule

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule/internal/heap"
)

// postponements are the subscriptions that nothing is claimed of for a while. They are kept apart
// from the Subs because one may begin while nothing is pending.
type postponements struct {
	byNum map[uint64]*postponement
	ends  heap.Of[*postponement]
}

type postponement struct {
	num   uint64
	end   int64
	limit int // of a limit, see Pause
	pos   int
}

func (p *postponement) Before(o *postponement) bool { return p.end < o.end }
func (p *postponement) Index() *int                 { return &p.pos }

// Postponed returns how many subscriptions are postponed.
func (ps *postponements) Postponed() int { return len(ps.byNum) }

// until returns when the postponement of a subscription ends; 0 if it has none.
func (ps *postponements) until(num uint64) int64 {
	if p := ps.byNum[num]; p != nil {
		return p.end
	}
	return 0
}

// set makes the postponement of a subscription end at a time; 0 ends it.
func (ps *postponements) set(num uint64, end int64) {
	p := ps.byNum[num]
	switch {
	case end == 0 && p != nil:
		ps.ends.Drop(p)
		delete(ps.byNum, num)
	case end == 0:
	case p != nil:
		p.end = end
		ps.ends.Set(p)
	default:
		if ps.byNum == nil {
			ps.byNum = make(map[uint64]*postponement)
		}
		p = &postponement{num: num, end: end}
		ps.byNum[num] = p
		ps.ends.Set(p)
	}
}

// expire forgets those that are over, so that there are never more than can matter.
func (ps *postponements) expire(now int64) {
	for {
		p, ok := ps.ends.First()
		if !ok || p.end > now {
			return
		}
		ps.set(p.num, 0)
	}
}

// Pause takes in a pause of a subscription from now on, or a limit.
func (s *Schedule[Q, L]) Pause(num uint64, p store.Pause, now int64) {
	if p.Limit == 0 {
		s.Postpone(num, p.For, now)
		return
	}
	until := int64(0)
	if p.For > 0 {
		until = Add(now, p.For)
	}
	s.limited.set(num, until)
	if l := s.limited.byNum[num]; l != nil {
		l.limit = p.Limit
	}
	s.setLimit(num)
}

// setLimit takes in that the limit of a subscription has changed.
func (s *Schedule[Q, L]) setLimit(num uint64) {
	if q := s.subs[num]; q != nil {
		q.limit = s.limited.limit(num)
		s.turns.readmit(q) // it may have room now
		s.wake = s.wake || s.hasDue()
	}
}

// endLimits ends the limits whose time is over.
func (s *Schedule[Q, L]) endLimits(now int64) {
	for {
		l, ok := s.limited.ends.First()
		if !ok || l.end > now {
			return
		}
		s.limited.set(l.num, 0)
		s.setLimit(l.num)
	}
}

// limit returns the limit that a subscription has of its own; 0 if it has none.
func (ps *postponements) limit(num uint64) int {
	if p := ps.byNum[num]; p != nil {
		return p.limit
	}
	return 0
}

// Postpone keeps the deliveries of a subscription from being claimed for a time from now on, in
// place of an earlier postponement; 0 ends it.
func (s *Schedule[Q, L]) Postpone(num uint64, d time.Duration, now int64) {
	until := int64(0)
	if d > 0 {
		until = Add(now, d)
	}
	s.postponements.expire(now)
	s.postponements.set(num, until)
	if q := s.subs[num]; q != nil {
		if !q.known && until < q.postponedUntil {
			s.wake = true // settle does not look at a Sub whose State is not loaded
		}
		q.postponedUntil = until
		s.settle(q, now)
	}
}
