package memstore

import (
	"cmp"
	"slices"
	"time"
)

// queue is what a subscription has pending.
type queue struct {
	fresh heapOf[*delivery] // first attempts, by the order of their events
	due   heapOf[*delivery] // retries that are due, the longest due on top
	later heapOf[*delivery] // retries that are not, the first to be due on top

	// keyed has the pending deliveries of each key, by the order of their events. Only the first of a key is in a heap,
	// unless an earlier one was requeued while it was leased.
	keyed map[string][]*delivery

	leased     int  // how many of the subscription's deliveries are leased
	retryFirst bool // whose turn it is when both fresh and due have something
}

func newQueue() queue {
	return queue{
		fresh: deliveryHeap(enqueuedFirst),
		due:   deliveryHeap(dueFirst),
		later: deliveryHeap(dueFirst),
		keyed: make(map[string][]*delivery),
	}
}

// add takes in a delivery that has become pending.
func (q *queue) add(d *delivery, now time.Time) {
	if key := d.event.key; key != "" {
		same := q.keyed[key]
		i, _ := slices.BinarySearchFunc(same, d, byEvent)
		if i == 0 && len(same) > 0 && q.waits(same[0]) {
			same[0].leave()
		}
		q.keyed[key] = slices.Insert(same, i, d)
	}
	q.queueUp(d, now)
}

// remove takes out a delivery that is pending no more. If others of its key stood behind it, the next is let go.
func (q *queue) remove(d *delivery, now time.Time) {
	d.leave()
	key := d.event.key
	if key == "" {
		return
	}
	i, _ := slices.BinarySearchFunc(q.keyed[key], d, byEvent)
	same := slices.Delete(q.keyed[key], i, i+1)
	if len(same) == 0 {
		delete(q.keyed, key)
		return
	}
	q.keyed[key] = same
	if same[0].heap == nil {
		q.queueUp(same[0], now)
	}
}

// queueUp puts a pending delivery that is in no heap into the one where it belongs.
func (q *queue) queueUp(d *delivery, now time.Time) {
	switch {
	case !d.isNext():
	case d.due.After(now):
		d.enter(&q.later)
	case len(d.attempts) == 0:
		d.enter(&q.fresh)
	default:
		d.enter(&q.due)
	}
}

// ripen makes the retries claimable that have come due.
func (q *queue) ripen(now time.Time) {
	for q.later.len() > 0 && !q.later.first().due.After(now) {
		d := q.later.first()
		d.leave()
		q.queueUp(d, now)
	}
}

// take removes the delivery whose turn it is from its heap. There must be one.
func (q *queue) take() *delivery {
	retry := q.fresh.len() == 0 || q.retryFirst && q.due.len() > 0
	q.retryFirst = !retry
	from := &q.fresh
	if retry {
		from = &q.due
	}
	d := from.first()
	d.leave()
	return d
}

// stocked reports whether something is due.
func (q *queue) stocked() bool { return q.fresh.len()+q.due.len() > 0 }

// waits reports whether d is in one of q's heaps.
func (q *queue) waits(d *delivery) bool {
	return d.heap == &q.fresh || d.heap == &q.due || d.heap == &q.later
}

func byEvent(a, b *delivery) int { return compareEvents(a.event, b.event) }

func compareEvents(a, b *event) int { return cmp.Compare(a.num, b.num) }
