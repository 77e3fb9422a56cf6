package memstore

import (
	"container/heap"
	"time"

	"github.com/outhook/outhook/store"
)

// expired reports whether no attempt of e may start any more.
func (e *event) expired(now time.Time) bool {
	return !e.expiresAt.IsZero() && !now.Before(e.expiresAt)
}

// expire cancels what is pending of events that have expired. Each method begins with it, so none
// sees any of it as pending. Each event costs once.
func (s *state) expire(now time.Time) {
	for len(s.log.expiring) > 0 && s.log.expiring[0].expired(now) {
		e := heap.Pop(&s.log.expiring).(*event)
		for _, d := range e.deliveries {
			if d.state == store.Pending {
				s.queue.remove(d, now)
				d.state, d.finished, d.canceled = store.Canceled, e.expiresAt, store.ReasonExpired
				s.ended.insert(d)
			}
		}
	}
}

// expiring is a heap of events: the next to expire comes first. Each knows its index, from 1.
type expiring []*event

func (x *expiring) add(e *event) {
	if !e.expiresAt.IsZero() {
		heap.Push(x, e)
	}
}

func (x *expiring) remove(e *event) {
	if e.expiringAt > 0 {
		heap.Remove(x, e.expiringAt-1)
	}
}

func (x expiring) Len() int           { return len(x) }
func (x expiring) Less(i, j int) bool { return x[i].expiresAt.Before(x[j].expiresAt) }

func (x expiring) Swap(i, j int) {
	x[i], x[j] = x[j], x[i]
	x[i].expiringAt, x[j].expiringAt = i+1, j+1
}

func (x *expiring) Push(e any) {
	*x = append(*x, e.(*event))
	e.(*event).expiringAt = len(*x)
}

func (x *expiring) Pop() any {
	last := len(*x) - 1
	e := (*x)[last]
	(*x)[last] = nil
	*x = (*x)[:last]
	e.expiringAt = 0
	return e
}
