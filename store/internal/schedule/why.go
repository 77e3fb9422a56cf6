package schedule

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
)

// Waiting is a pending delivery as its record has it.
type Waiting struct {
	Position order.Position
	Blocked  bool // by an earlier one of its key; then it has no position but its event

	// Withheld is why nothing of its subscription is to be claimed; empty if something may be.
	Withheld store.Wait
}

// Why returns what keeps a pending delivery of a subscription from being claimed, and until when; 0
// if that has no time. health is that of the subscription as the store has it, for one that the
// schedule does not know; nil is that of a new one.
//
// It goes by what claims go by. Of several reasons it is the one that ends last.
func (s *Schedule[Q, L]) Why(
	num uint64, w Waiting, health *store.Health, now int64,
) (why store.Wait, until int64) {
	q := s.byNum[num]
	if q == nil || !q.known {
		if health == nil {
			health = &unknown
		}
		_, postponed := s.postponed.Get(num)
		// As it would be if something of it were due, but for the leases.
		was := q
		q = &Sub[Q, L]{health: health, postponedUntil: postponed}
		q.heldUntil = holdOf(health)
		q.probing = s.turns.limits.isProbe(health)
		if was != nil {
			q.leases = was.leases
		}
	}
	if l := q.leases[w.Position.Seq]; l != nil && !l.expired && (l.until > now || l.ending) {
		return store.WaitUnderWay, l.until
	}
	switch {
	case w.Withheld != "":
		return w.Withheld, 0
	case w.Blocked:
		return store.WaitKey, 0
	}
	why, until = store.WaitDue, now
	later := func(reason store.Wait, at int64) {
		if at > until {
			why, until = reason, at
		}
	}
	if at, scheduled := order.NotBefore(w.Position.Due); scheduled {
		later(store.WaitNotBefore, at)
	} else if order.IsTime(w.Position.Due) {
		later(store.WaitRetry, w.Position.Due)
	}
	later(store.WaitRateLimit, q.postponedUntil)
	later(store.WaitThrottled, Nanos(q.health.HeldUntil))
	if q.pace > 0 {
		later(store.WaitThrottled, q.lastLease+q.pace)
	}
	later(store.WaitBreaker, Nanos(q.health.NextProbeAt))
	switch {
	case why != store.WaitDue:
		return why, until
	case q.probing: // a probe is due, or under way, and most are not the one
		return store.WaitBreaker, 0
	}
	return store.WaitDue, 0
}
