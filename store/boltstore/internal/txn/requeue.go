package txn

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/internal/schedule"
)

// Requeue makes the deliveries due that q still selects. It returns how many that were, and which
// of their subscriptions are held; Next is left empty.
func (t *Tx) Requeue(
	q *store.DeliveryQuery, positions []page.Position, busy func(page.Position) bool,
) (result store.RequeueResult, err error) {
	asOf, err := t.nextSeq()
	if err != nil {
		return store.RequeueResult{}, err
	}
	seen := make(map[uint64]bool) // subscriptions of which something matched
	var e *record.Event           // of the deliveries that follow, which are often of the same
	for i, p := range positions {
		if i == 0 || p.Seq != positions[i-1].Seq {
			if e, err = t.Events.Get(p.Seq); err != nil {
				return store.RequeueResult{}, err
			}
		}
		if e == nil || e.Erased() {
			continue
		}
		matched, changed, err := t.requeueOne(q, p, e, asOf, busy)
		if err != nil {
			return store.RequeueResult{}, err
		}
		if changed {
			result.Requeued++
		}
		if matched && !seen[p.Num] {
			seen[p.Num] = true
			if h := t.Subs.Health(p.Num); schedule.Nanos(h.NextProbeAt) > t.Now {
				result.Held = append(result.Held, t.Subs.byNum[p.Num].ID) // requeueOne has read it
			}
		}
	}
	return result, nil
}

// Get reads an event. It is nil if there is none. Its body is the file's memory.
func (x *eventLog) Get(seq uint64) (*record.Event, error) {
	key := record.Key1(seq)
	v := x.base.Get(BucketEvents, key[:])
	if v == nil {
		return nil, nil
	}
	e, err := record.DecodeEvent(key[:], v)
	return &e, err
}

// requeueOne makes one delivery due, unless it is so already. matched says that q selects it and
// that its subscription is subscribed.
func (t *Tx) requeueOne(
	q *store.DeliveryQuery, p page.Position, e *record.Event, asOf uint64,
	busy func(page.Position) bool,
) (matched, changed bool, err error) {
	sub, err := t.Subs.Get(p.Num)
	if err != nil || sub == nil || sub.Status != store.Subscribed {
		return false, false, err
	}
	if closed, err := t.IsClosed(sub.Tenant); closed || err != nil {
		return false, false, err
	}
	was, ok, err := t.Pending.Find(p.Num, p.Seq, e.KeyHash())
	if err != nil || !ok {
		return false, false, err
	}
	d, err := t.Delivery(p.Num, e, &was)
	if err != nil || !q.Matches(&d) {
		return false, false, err
	}
	r := was
	r.Due, r.AtOnce = t.Now, schedule.Asked
	if was.Pending() {
		if !t.waits(p.Num, &was, q.EventID != "") || busy(p) {
			return true, false, nil
		}
	} else {
		r.State, r.AsOf, r.Base, r.FinishedAt, r.Reason = store.Pending, asOf, was.Attempts, 0, ""
	}
	return true, true, t.Pending.Transition(pending.ID{Num: p.Num, Seq: p.Seq}, was, r, false)
}

// waits reports whether a pending delivery waits for a time, or, if it was named, for its
// subscription to succeed. Without the name it does not wait for that: a call that asks for all
// would write anew all that the breaker holds back, which is due when the breaker closes anyway.
func (t *Tx) waits(num uint64, d *pending.Delivery, named bool) bool {
	return d.Due > t.Now || named && d.AtOnce != schedule.Asked && t.Subs.Health(num).Failures > 0
}

// ProbeNow ends the holds of subscriptions.
func (t *Tx) ProbeNow(ids []string) error {
	for _, id := range ids {
		num, err := t.Subs.Number(id)
		if err != nil {
			return err
		}
		if num == 0 {
			continue
		}
		if closed, err := t.isClosedFor(num); err != nil {
			return err
		} else if closed {
			continue
		}
		if h := t.Subs.Health(num); !h.NextProbeAt.IsZero() {
			h.NextProbeAt = time.Time{}
			t.Subs.setHealth(num, h)
		}
	}
	return nil
}

// Recovered makes the health of a subscription what a success outside of the queue makes of it.
func (t *Tx) Recovered(id string) error {
	num, err := t.Subs.Number(id)
	if err != nil || num == 0 {
		return err
	}
	closed, err := t.isClosedFor(num)
	switch {
	case err != nil:
		return err
	case closed:
		return store.ErrMoved
	}
	t.Subs.setHealth(num, t.Subs.Health(num).Recovered())
	return nil
}
