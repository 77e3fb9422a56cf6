// Package timed keeps what the schedule knows of subscriptions until a time, such as a pause. It is
// kept apart from the Subs, because it may begin while nothing is pending.
package timed

import "github.com/outhook/outhook/store/internal/schedule/internal/heap"

// Set has a value for some subscriptions, each until its end. Its zero value is empty. It is not
// safe for concurrent use.
type Set[V any] struct {
	entries map[uint64]*entry[V]
	ends    heap.Of[*entry[V]]
}

type entry[V any] struct {
	num   uint64
	end   int64
	value V
	pos   int
}

func (e *entry[V]) Before(o *entry[V]) bool { return e.end < o.end }
func (e *entry[V]) Index() *int             { return &e.pos }

// Len returns how many subscriptions have a value.
func (s *Set[V]) Len() int { return len(s.entries) }

// Get returns the value of a subscription and when it ends; zero if it has none.
func (s *Set[V]) Get(num uint64) (value V, end int64) {
	if e := s.entries[num]; e != nil {
		return e.value, e.end
	}
	return value, 0
}

// Put gives a subscription a value until a time, in place of the one that it had.
func (s *Set[V]) Put(num uint64, value V, end int64) {
	e := s.entries[num]
	if e == nil {
		if s.entries == nil {
			s.entries = make(map[uint64]*entry[V])
		}
		e = &entry[V]{num: num}
		s.entries[num] = e
	}
	e.value, e.end = value, end
	s.ends.Set(e)
}

// Remove takes the value of a subscription out, if it has one.
func (s *Set[V]) Remove(num uint64) {
	if e := s.entries[num]; e != nil {
		s.ends.Drop(e)
		delete(s.entries, num)
	}
}

// Expire takes out what has ended, so that there is never more than can matter, and calls f for
// each of its subscriptions. f may be nil.
func (s *Set[V]) Expire(now int64, f func(num uint64)) {
	for {
		e, ok := s.ends.First()
		if !ok || e.end > now {
			return
		}
		s.Remove(e.num)
		if f != nil {
			f(e.num)
		}
	}
}
