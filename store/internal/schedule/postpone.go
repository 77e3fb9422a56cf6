package schedule

import (
	"time"

	"github.com/outhook/outhook/store"
)

// Postponed returns how many subscriptions are postponed.
func (s *Schedule[Q, L]) Postponed() int { return s.postponed.Len() }

// Pause takes in a pause of a subscription from now on, or a limit.
func (s *Schedule[Q, L]) Pause(num uint64, p store.Pause, now int64) {
	if p.Limit == 0 {
		s.Postpone(num, p.For, now)
		return
	}
	if p.For > 0 {
		s.limits.Put(num, p.Limit, Add(now, p.For))
	} else {
		s.limits.Remove(num)
	}
	s.setLimit(num)
}

// setLimit takes in that the limit of a subscription has changed.
func (s *Schedule[Q, L]) setLimit(num uint64) {
	if q := s.byNum[num]; q != nil {
		q.limit, _ = s.limits.Get(num)
		s.turns.readmit(q) // it may have room now
		s.wake = s.wake || s.hasDue()
	}
}

// endLimits ends the limits whose time is over.
func (s *Schedule[Q, L]) endLimits(now int64) { s.limits.Expire(now, s.setLimit) }

// Postpone keeps the deliveries of a subscription from being claimed for a time from now on, in
// place of an earlier postponement; 0 ends it.
func (s *Schedule[Q, L]) Postpone(num uint64, d time.Duration, now int64) {
	s.postponed.Expire(now, nil)
	until := int64(0)
	if d > 0 {
		until = Add(now, d)
		s.postponed.Put(num, struct{}{}, until)
	} else {
		s.postponed.Remove(num)
	}
	if q := s.byNum[num]; q != nil {
		if !q.known && until < q.postponedUntil {
			s.wake = true // reschedule does not look at a Sub whose State is not loaded
		}
		q.postponedUntil = until
		s.Reschedule(q, now)
	}
}
