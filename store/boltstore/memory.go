package boltstore

import (
	"container/list"
)

// memory is what the store knows besides the file, guarded by Store.mu. It holds as much as is claimed and a little
// more, and nothing for a subscription that has nothing pending.
type memory struct {
	queues   map[uint64]*queue  // by the number of the subscription
	idle     list.List          // those that have nothing, kept for what they know
	unknown  []*queue           // those whose subscription is to be read before anything is claimed
	rings    [classes]list.List // of those that have something due, by their class
	turn     class              // whose turn it is
	sleepers timeHeap[*queue]   // those that have something due later
	pauses   pauses

	tokens    map[uint64]*lease
	leases    timeHeap[*lease] // those that can run out
	lastToken uint64
	leased    [classes]int // how many leases count against limits, by the class of their subscriptions

	level  // of the watermark
	recent recent
	ages   ages

	tallies tallies
}

// maxIdle is how many queues are kept that have nothing.
const maxIdle = 1024

// queue returns the queue of a subscription. A new one has all in it: those that have something in the file are loaded
// when the store is opened.
func (s *Store) queue(num uint64) *queue {
	q := s.queues[num]
	if q == nil {
		q = &queue{num: num, paused: s.pauses.until(num)}
		for _, w := range q.windows() {
			w.complete = true
		}
		s.queues[num] = q
		s.unknown = append(s.unknown, q)
	}
	return q
}

// settle puts q where it belongs after a change: into a ring when something of it can be claimed, to sleep until
// something else can, among the idle when it has nothing.
func (s *Store) settle(q *queue, now int64) {
	if s.queues[q.num] != q {
		return // it is gone
	}
	if !q.known {
		return // it is among the unknown
	}
	if q.subscribed() && q.stocked(now) && !q.held(now) {
		s.enterRing(q)
	} else {
		s.leaveRing(q)
	}
	q.wakeAt = 0
	if q.subscribed() {
		q.wakeAt = q.wake(now)
	}
	if q.wakeAt != 0 {
		s.sleepers.set(q)
	} else {
		s.sleepers.drop(q)
	}
	s.rest(q)
}

// enterRing puts q at the end of the ring of its class, unless it is in that already and keeps its place.
func (s *Store) enterRing(q *queue) {
	ring := &s.rings[q.health.class()]
	if q.ring != ring {
		s.leaveRing(q)
		q.ring, q.seat = ring, ring.PushBack(q)
	}
}

func (s *Store) leaveRing(q *queue) {
	if q.ring != nil {
		q.ring.Remove(q.seat)
		q.ring, q.seat = nil, nil
	}
}

// rest keeps q among the idle, as long as there are not too many, when it has nothing.
func (s *Store) rest(q *queue) {
	switch {
	case !q.empty():
		if q.idle != nil {
			s.idle.Remove(q.idle)
			q.idle = nil
		}
	case q.idle == nil:
		q.idle = s.idle.PushBack(q)
		if s.idle.Len() > maxIdle {
			s.drop(s.idle.Front().Value.(*queue))
		}
	}
}

// drop forgets a queue.
func (s *Store) drop(q *queue) {
	s.leaveRing(q)
	s.sleepers.drop(q)
	if q.idle != nil {
		s.idle.Remove(q.idle)
		q.idle = nil
	}
	delete(s.queues, q.num)
}

// wakeSleepers settles the queues whose time has come.
func (s *Store) wakeSleepers(now int64) {
	for {
		q, ok := s.sleepers.first()
		if !ok || q.wakeAt > now {
			return
		}
		s.settle(q, now)
	}
}

// wakeReader fills the slot of Ready.
func (s *Store) wakeReader() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// wakeReaderIfDue fills it when there is something that could be claimed if only the limits let it.
func (s *Store) wakeReaderIfDue() {
	due := len(s.unknown)
	for class := range s.rings {
		due += s.rings[class].Len()
	}
	if due > 0 {
		s.wakeReader()
	}
}

// What follows brings memory up to what a transaction has written.

// addFresh takes in the deliveries of a new event, but for those that have a row, given in order.
func (s *Store) addFresh(seq uint64, e *event, a *audience, rowed []uint64) {
	now := s.now()
	_ = unpack(a.packed, func(num uint64) bool { // we have packed it
		if len(rowed) > 0 && rowed[0] == num {
			rowed = rowed[1:]
			return true
		}
		q := s.queue(num)
		q.fresh.add(seq)
		s.settle(q, now)
		return true
	})
	s.addSpan(seq, a.count)
	s.recent.add(seq, e)
	s.wakeReader()
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
	q := s.queues[m.num]
	if q == nil {
		if !m.pending {
			return
		}
		q = s.queue(m.num)
	}
	l := q.leases[m.seq]
	q.fresh.remove(m.seq)
	if l == nil || l.expired {
		q.forget(m.seq)
	}
	switch {
	case l != nil && m.drop:
		s.endLease(l)
		l = nil
	case l != nil:
		l.chunked, l.behind, l.place = false, m.behind, m.place
	}
	if m.pending && !m.behind && (l == nil || l.expired) {
		q.add(m.place)
	}
	if !q.chunked.maybe() {
		s.trim(q)
	}
	s.settle(q, s.now())
	if m.pending {
		s.wakeReader()
	}
}

// setHealth changes the health of a subscription, and with it what counts against the limits of its class.
func (s *Store) setHealth(num uint64, h health) {
	q := s.queues[num]
	if q == nil {
		return
	}
	s.leased[q.health.class()] -= q.leased
	s.leased[h.class()] += q.leased
	q.health = h
	s.settle(q, s.now())
}

// setBacklog takes in what has changed of a backlog.
func (s *Store) setBacklog(num uint64, b *backlog) {
	q := s.queues[num]
	if q == nil && (b.empty() || b.deleted) {
		return
	}
	if q == nil {
		q = s.queue(num)
	}
	q.pending, q.chunks, q.marks = b.pending, b.chunks, b.marks
	if b.pending == 0 && len(b.marks) == 0 {
		for _, w := range q.windows() {
			*w = window{complete: true}
		}
	}
	s.settle(q, s.now())
}
