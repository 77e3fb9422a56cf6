package memstore

import (
	"container/list"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
)

// delivery is an event for a subscription. All of it is guarded by the store's lock.
type delivery struct {
	sub   *subscription // whose it is; a delivery goes with its subscription
	event *event        // what it sends; never nil

	state    store.State
	attempts []store.Attempt // the newest, store.MaxAttempts at most
	retry    int             // attempts counted since it was enqueued or requeued
	due      time.Time       // while pending: when it is due, or became due
	atOnce   int64           // while pending, if it is due at once: its Due in the schedule
	waits    bool            // while pending: due is the event's NotBefore
	finished time.Time       // otherwise
	canceled string          // why it was canceled

	bodyState store.BodyState // what attempts have decided of the body
	override  []byte          // replaced as a whole, as claims share it

	// position is where the schedule has it; nil if it is blocked, implicit or not pending.
	position *order.Position

	list    *list.List // of what has finished, the one it is in; nil if it is in none
	element *list.Element
}

// isNext reports whether nothing of the same key stands before d. d must be pending: then it is in
// the list of its key. Without a key there is nothing to wait for.
func (d *delivery) isNext() bool {
	return d.event.key == "" || d.sub.keyed[d.event.key][0] == d
}

// record returns d as the outside sees it. It shares no memory with d, so it may leave the lock.
func (d *delivery) record() store.Delivery {
	r := store.Delivery{
		SubscriptionID: d.sub.ID,
		EventID:        d.event.id,
		EventType:      d.event.typ,
		Tenant:         d.event.tenant,
		Key:            d.event.key,
		State:          d.state,
		Erased:         d.event.erased,
		NotBefore:      d.event.notBefore,
		ExpiresAt:      d.event.expiresAt,
		Attempts:       d.tried(),
		CreatedAt:      d.event.enqueued,
		FinishedAt:     d.finished,
	}
	// What has ended is due no more, and due still has the time of its last attempt.
	if d.state == store.Pending {
		r.DueAt = d.due
	}
	if n := len(d.attempts); n > 0 {
		r.LastStatus, r.LastError = d.attempts[n-1].Status, d.attempts[n-1].Error
	}
	// The reason, even if an attempt has failed before: it says why there are no more.
	if d.state == store.Canceled {
		r.LastError = d.canceled
	}
	return r
}

// place returns where a pending delivery stands for the schedule. A first attempt stands by its
// event alone, and has no time; a retry stands by when it is due.
func (d *delivery) place() order.Position {
	p := order.Position{Seq: d.event.num}
	switch {
	case d.waits:
		p.Due = order.Scheduled(d.due.UnixMilli())
	case d.atOnce != 0:
		p.Due = d.atOnce
	case len(d.attempts) > 0:
		p.Due = order.Retrying(d.due.UnixNano())
	}
	return p
}

// setDue makes a pending delivery due at a time, or when its event expires if that is sooner. What
// is not to be sent yet is due no earlier than it may be.
func (d *delivery) setDue(at time.Time, atOnce int64, now time.Time) {
	e := d.event
	if d.waits = e.notBefore.After(now); d.waits {
		at, atOnce = e.notBefore, 0
	}
	if !e.expiresAt.IsZero() && e.expiresAt.Before(at) {
		at = e.expiresAt
	}
	d.due, d.atOnce = at, atOnce
}

// enter puts d at the end of a list of what has finished, leave takes it out of the one it is in.
// enter keeps the list sorted, because the store's clock never goes back.
func (d *delivery) enter(l *list.List) { d.list, d.element = l, l.PushBack(d) }

func (d *delivery) leave() {
	if d.list != nil {
		d.list.Remove(d.element)
		d.list, d.element = nil, nil
	}
}

// tried returns how many attempts there were. The newest attempt has the number, since only the
// newest are kept.
func (d *delivery) tried() int {
	if n := len(d.attempts); n > 0 {
		return d.attempts[n-1].Number
	}
	return 0
}
