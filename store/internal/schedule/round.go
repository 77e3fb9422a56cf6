package schedule

import (
	"container/list"
	"math"
	"time"

	"github.com/outhook/outhook/store"
)

// Round is one Claim's way round the rings. Make one with [Schedule.Round], and call Run until it lacks nothing.
type Round[Q, L any] struct {
	Leases []*Lease[Q, L] // what it has taken so far

	schedule *Schedule[Q, L]
	req      *store.ClaimRequest
	now      int64
	until    int64
	wait     int64                        // until when a lease runs out that was there before
	at       [store.Classes]*list.Element // what is looked at next in each ring; nil at its end
}

// Round begins a claim, as of a time that stays the same for all of it. req must stay as it is until the round ends.
func (s *Schedule[Q, L]) Round(req *store.ClaimRequest, now int64) *Round[Q, L] {
	s.Expire(now)
	s.wakeSleepers(now)
	return &Round[Q, L]{
		schedule: s, req: req, now: now,
		until: Add(now, req.Lease),
		wait:  s.leaseWait(),
	}
}

// Run takes turns until the request is satisfied, or allows no more, or until it is not known what is next: then it
// returns what the schedule lacks. Nobody loses a turn by that. Each Lack must be answered by Load, and Run called
// again.
//
// A subscription at its limit is passed over and keeps its turn; one that something was taken of goes to the end of its
// ring.
func (r *Round[Q, L]) Run() []Lack {
	s := r.schedule
	if len(s.unknown) > 0 {
		return r.unknown()
	}
	for class := range s.rings {
		r.at[class] = s.rings[class].Front()
	}
	for len(r.Leases) < r.req.Max {
		took, lacking := r.step()
		if lacking {
			return r.lacks()
		}
		if !took {
			break
		}
	}
	return nil
}

// unknown returns Lacks of Subs whose State is not known. They all come before anything is claimed, because the turns
// of those that are known must not depend on how soon others are.
func (r *Round[Q, L]) unknown() (lacks []Lack) {
	s := r.schedule
	for len(s.unknown) > 0 && len(lacks) < maxLacks {
		q := s.unknown[0]
		s.unknown = s.unknown[1:]
		if s.subs[q.Num] == q && !q.known {
			lacks = append(lacks, q.lack())
		}
	}
	if len(s.unknown) == 0 {
		s.unknown = nil
	}
	if len(lacks) == 0 {
		return r.Run()
	}
	return lacks
}

// step leases one delivery. lacking says that whose turn it is needs a load.
func (r *Round[Q, L]) step() (took, lacking bool) {
	s := r.schedule
	for range store.Classes {
		class := s.turn
		s.turn = (class + 1) % store.Classes
		if !r.req.Room(class, &s.leased) {
			continue
		}
		for r.at[class] != nil {
			q := r.at[class].Value.(*Sub[Q, L])
			if !r.allows(q) {
				r.at[class] = r.at[class].Next()
				continue
			}
			p, from, ok := q.next(r.now)
			for ok && s.isBarred(p.Seq) && !q.needsLoad() {
				q.pass(p, from)
				p, from, ok = q.next(r.now)
			}
			if q.needsLoad() {
				s.turn = class
				return false, true
			}
			if !ok { // there was nothing after all
				r.at[class] = r.at[class].Next()
				s.settle(q, r.now)
				continue
			}
			r.Leases = append(r.Leases, s.lease(q, p, from, r.until))
			r.pass(q, class)
			return true, false
		}
	}
	return false, false
}

// pass moves q, of which something was taken, to the end of its ring, or out if that was all.
func (r *Round[Q, L]) pass(q *Sub[Q, L], class store.Class) {
	next := q.inRing.Next()
	q.ring.MoveToBack(q.inRing)
	if next == nil {
		next = q.inRing
	}
	if r.schedule.settle(q, r.now); q.ring == nil && next.Value.(*Sub[Q, L]) == q {
		next = nil
	}
	r.at[class] = next
}

// allows reports whether its own limit lets one more of q be leased.
func (r *Round[Q, L]) allows(q *Sub[Q, L]) bool {
	limit := r.req.Limit(&q.health)
	return limit == 0 || q.leased < limit
}

// lacks returns what must be loaded: for whose turn it is, and for others that may be asked soon, so that one snapshot
// of the store serves many.
func (r *Round[Q, L]) lacks() (lacks []Lack) {
	left := r.req.Max - len(r.Leases)
	for class := range r.schedule.rings {
		looked := 0
		for e := r.at[class]; e != nil && len(lacks) < maxLacks && looked <= 2*left; e = e.Next() {
			looked++
			if q := e.Value.(*Sub[Q, L]); q.needsLoad() && r.allows(q) {
				lacks = append(lacks, q.lack())
			}
		}
	}
	return lacks
}

// NextDue returns how long it is until something is claimable that is not now: because it is not due, its subscription
// is held or postponed, or a lease from before this round runs on it. store.NoneDue if there is nothing of the kind.
func (r *Round[Q, L]) NextDue() time.Duration {
	at := r.wait
	if q, ok := r.schedule.sleepers.first(); ok {
		at = min(at, q.wakeAt)
	}
	if at == math.MaxInt64 {
		return store.NoneDue
	}
	return time.Duration(max(at-r.now, 0))
}

// wakeSleepers settles the Subs whose time has come.
func (s *Schedule[Q, L]) wakeSleepers(now int64) {
	for {
		q, ok := s.sleepers.first()
		if !ok || q.wakeAt > now {
			return
		}
		s.settle(q, now)
	}
}

// leaseWait returns when a lease has run out of something that may be claimed then.
func (s *Schedule[Q, L]) leaseWait() int64 {
	at := int64(math.MaxInt64)
	for _, l := range s.leases.items {
		at = min(at, max(l.until, l.Sub.blockedUntil()))
	}
	return at
}

// Nanos returns a time as nanoseconds since 1970; 0 for the zero time. What is later than that can say is at its end.
func Nanos(t time.Time) int64 {
	switch {
	case t.IsZero():
		return 0
	case t.After(last):
		return math.MaxInt64
	}
	return t.UnixNano()
}

var last = time.Unix(0, math.MaxInt64)

// Add returns a time after another. It saturates: what is later than the clock can say is at its end.
func Add(now int64, d time.Duration) int64 {
	if sum := now + int64(d); sum >= now || d < 0 {
		return sum
	}
	return math.MaxInt64
}
