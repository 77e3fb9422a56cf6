package boltstore

import (
	"github.com/outhook/outhook/store/internal/schedule"
)

// memory is what the store knows besides the file, guarded by Store.mu. It holds as much as is claimed and a little
// more, and nothing for a subscription that has nothing pending.
type memory struct {
	schedule *schedule.Schedule[subscriber, claimed]

	level   // of the watermark
	numbers numbersByID
	recent  recent
	ages    ages
	erasing map[uint64]*erasing // events that have a mark, see erasures.go
}

// unlock gives the mutex back. If something may have become claimable, it fills the slot of Ready.
func (s *Store) unlock() {
	wake := s.schedule.TakeWake()
	s.mu.Unlock()
	if wake {
		s.wakeReader()
	}
}

// locker is Store.mu for those who run effects under it.
type locker struct{ s *Store }

func (l locker) Lock()   { l.s.mu.Lock() }
func (l locker) Unlock() { l.s.unlock() }

// wakeReader fills the slot of Ready.
func (s *Store) wakeReader() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// queue returns the queue of a subscription. A new one has all in it: those that have something in the file are made
// when the store is opened.
func (s *Store) queue(num uint64) *queue { return s.schedule.Ensure(num) }

// What follows brings memory up to what a transaction has written.

// addFresh takes in the deliveries of a new event, but for those that have a row, given in order.
func (s *Store) addFresh(seq uint64, e *event, a *audience, rowed []uint64) {
	now := s.now()
	_ = unpack(a.packed, func(num uint64) bool { // we have packed it
		if len(rowed) > 0 && rowed[0] == num {
			rowed = rowed[1:]
			return true
		}
		s.schedule.AddImplicit(s.queue(num), seq, now)
		return true
	})
	s.addSpan(seq, a.count)
	s.recent.add(seq, e)
}

// move is what a transaction did with a delivery.
type move struct {
	num, seq uint64
	pending  bool
	behind   bool
	place    place
	drop     bool // a lease on it ends

	// If it is not pending.
	delivered bool
	finished  int64
}

func (s *Store) moved(m move) {
	if !m.pending {
		s.ages.noteFinished(m.seq, m.delivered, m.finished)
	}
	q := s.schedule.Sub(m.num)
	if q == nil {
		if !m.pending {
			return
		}
		q = s.queue(m.num)
	}
	q.Data.stored.moved(m.seq, m.pending)
	if !q.PackedMaybe() {
		s.trim(q)
	}
	s.schedule.Change(q, m.seq, schedule.Change{
		Pending: m.pending, Blocked: m.behind, Position: m.place, EndLease: m.drop,
	}, s.now())
}

// setHealth changes the health of a subscription, and with it what counts against the limits of its class.
func (s *Store) setHealth(num uint64, h health) {
	if q := s.schedule.Sub(num); q != nil {
		s.schedule.SetHealth(q, h.Health, s.now())
	}
}

// setBacklog takes in what has changed of a backlog.
func (s *Store) setBacklog(num uint64, b *backlog) {
	q := s.schedule.Sub(num)
	if q == nil && (b.empty() || b.deleted) {
		return
	}
	if q == nil {
		q = s.queue(num)
	}
	setBacklogOf(q, b)
	if b.pending == 0 && len(b.marks) == 0 {
		s.schedule.Complete(q, s.now())
		return
	}
	s.schedule.Settle(q, s.now())
}
