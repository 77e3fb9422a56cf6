package schedule

import (
	"math"
	"time"

	"github.com/outhook/outhook/store"
)

// Round is one Claim's way through the turns. Make one with [Schedule.Round], and call Run until it
// lacks nothing.
type Round[Q, L any] struct {
	Leases []*Lease[Q, L] // what it has taken so far

	schedule *Schedule[Q, L]
	req      *store.ClaimRequest
	now      int64
	until    int64
	before   uint64 // the last token that was given out before it began
}

// Round begins a claim. req must stay as it is until the round ends.
func (s *Schedule[Q, L]) Round(req *store.ClaimRequest, now int64) *Round[Q, L] {
	s.now = max(s.now, now)
	s.turns.rescale(s.now, s.byNum, s.tokens)
	s.Expire(now)
	r := &Round[Q, L]{
		schedule: s, req: req, now: now,
		until: Add(now, req.Lease), before: s.lastToken,
	}
	r.wakeSleepers()
	return r
}

// Run takes turns until the request is satisfied, or allows no more, or until it is not known what
// is next: then it returns what the schedule lacks. No turn is lost by that. Each Lack must be
// answered by Load, and Run called again.
//
// A subscription at its limit is passed over and keeps its turn. The next turn is that of the
// tenant, and within it of the subscription, that has used the least slot time lately.
func (r *Round[Q, L]) Run() []Lack {
	s := r.schedule
	r.now = s.now // others may have gone on since the last Run, and time must not go back for a Sub
	s.endLimits(r.now)
	r.wakeSleepers()
	r.use()
	if len(s.unknown) > 0 {
		return r.unknown()
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

// use readies the schedule for the limits of the request. They are the same in each claim of a
// host, so what it takes to change them does not matter.
func (r *Round[Q, L]) use() {
	s, req := r.schedule, r.req
	was := s.turns.limits
	now := limits{req.PerSubscription, req.PerTenant, req.PerHost, req.BreakerThreshold}
	if now == was {
		return
	}
	s.turns.use(now)
	if now.breakerThreshold == was.breakerThreshold {
		return
	}
	for _, q := range s.byNum {
		if probing := now.isProbe(q.health); probing != q.probing {
			q.probing = probing
			s.Reschedule(q, s.now)
		}
	}
}

// unknown returns Lacks of Subs whose State is not known. They all come before anything is claimed,
// because the turns of those that are known must not depend on how soon others are.
func (r *Round[Q, L]) unknown() (lacks []Lack) {
	for len(lacks) < maxLacks {
		q := r.schedule.nextUnknown()
		if q == nil {
			break
		}
		lacks = append(lacks, q.lack())
	}
	if len(lacks) == 0 { // all have been forgotten, or made known, since they were noted
		return r.Run()
	}
	return lacks
}

// step leases one delivery. lacking says that whose turn it is needs a load: then nothing has
// changed.
func (r *Round[Q, L]) step() (took, lacking bool) {
	s := r.schedule
	turn := s.turns.next
	for range store.Classes {
		class := s.turns.next
		s.turns.next = (class + 1) % store.Classes
		if !r.req.Room(class, &s.leased) {
			continue
		}
		if took, lacking = r.stepIn(class); took {
			return true, false
		}
		if lacking {
			// A class that this request has no room for keeps its turn as well, as the load may be
			// for another's.
			s.turns.next = turn
			return false, true
		}
	}
	return false, false
}

// stepIn leases one delivery of a class.
func (r *Round[Q, L]) stepIn(class store.Class) (took, lacking bool) {
	s := r.schedule
	for q := s.turns.first(class); q != nil; q = s.turns.first(class) {
		if !r.allows(q) {
			s.turns.setAside(q)
			continue
		}
		if q.needsLoad() {
			return false, true
		}
		p, from, ok := q.next(r.now)
		if !ok { // there was nothing after all: it leaves
			s.Reschedule(q, r.now)
			continue
		}
		if s.barred.has(p.Seq) {
			q.take(p, from) // once, not at each claim; its Change comes with the store's step
			continue
		}
		if q.Busy(p.Seq) {
			// It was loaded from a file that is newer than what the schedule has been told, and is
			// claimed from where it stood before. The end of that lease will say where it stands
			// now.
			q.take(p, from)
			continue
		}
		r.Leases = append(r.Leases, r.lease(q, p, from))
		s.Reschedule(q, r.now)
		// After reschedule, which may have given it a new turn. The charge alone does not move it
		// behind those whose accounts are as large.
		s.turns.pass(q)
		return true, false
	}
	return false, false
}

// allows reports whether its own limit lets one more of q be leased.
func (r *Round[Q, L]) allows(q *Sub[Q, L]) bool {
	limit := r.limit(q)
	return limit == 0 || q.leased < limit
}

// limit returns how many of q may be leased at once; 0 is no limit.
func (r *Round[Q, L]) limit(q *Sub[Q, L]) int {
	if q.limit == 0 { // as nearly always
		return r.req.Limit(q.health)
	}
	own := store.ClaimRequest{
		PerSubscription: q.limit, BreakerThreshold: r.req.BreakerThreshold,
	}
	return own.Limit(q.health)
}

// lacks returns what must be loaded: for whose turn it is, and for others that may be asked soon,
// so that one snapshot of the store serves many.
func (r *Round[Q, L]) lacks() (lacks []Lack) {
	turns := &r.schedule.turns
	// Twice what is still to be had, as some turn out to have nothing. More would be read for
	// nothing: windows that are loaded stay in memory.
	look := 2*(r.req.Max-len(r.Leases)) + 1
	for i := range store.Classes {
		class := (turns.next + i) % store.Classes
		if !r.req.Room(class, &r.schedule.leased) {
			continue
		}
		left := look
		turns.soon(class, look, func(q *Sub[Q, L]) bool {
			left--
			if len(lacks) < maxLacks && q.needsLoad() && r.allows(q) {
				lacks = append(lacks, q.lack())
			}
			return left > 0
		})
	}
	return lacks
}

// NextDue returns how long it is until something becomes claimable that is not now, because it is
// not due, its subscription is held or postponed, or a lease from before this round runs on it. It
// returns store.NoneDue if there is nothing of the kind.
func (r *Round[Q, L]) NextDue() time.Duration {
	// Not as of when the round began: what it took since may have moved the end of a pace.
	at := r.schedule.nextEnd(r.before)
	if q, ok := r.schedule.sleepers.First(); ok {
		at = min(at, q.wakeAt)
	}
	if at == math.MaxInt64 {
		return store.NoneDue
	}
	return time.Duration(max(at-r.now, 0))
}

// wakeSleepers reschedules the Subs whose time has come.
func (r *Round[Q, L]) wakeSleepers() {
	s, now := r.schedule, r.now
	for {
		q, ok := s.sleepers.First()
		if !ok || q.wakeAt > now {
			return
		}
		s.Reschedule(q, now)
	}
}

// Nanos returns a time as nanoseconds since 1970; 0 for the zero time. What is later than that can
// say is at its end.
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

// Add returns a time after another. It saturates: what is later than the clock can say is at its
// end.
func Add(now int64, d time.Duration) int64 {
	if sum := now + int64(d); sum >= now || d < 0 {
		return sum
	}
	return math.MaxInt64
}
