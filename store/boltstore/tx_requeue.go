package boltstore

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/page"
)

// requeue makes the deliveries due that q still selects, and returns how many that were.
func (t *txn) requeue(
	q *store.DeliveryQuery, positions []page.Position, busy func(page.Position) bool,
) (n int, err error) {
	stamp, err := t.nextSeq()
	if err != nil {
		return 0, err
	}
	var e *record.Event // of the deliveries that follow, which are often of the same
	for i, p := range positions {
		if i == 0 || p.Seq != positions[i-1].Seq {
			if e, err = t.log.get(p.Seq); err != nil {
				return 0, err
			}
		}
		if e == nil || e.Erased() {
			continue
		}
		changed, err := t.requeueOne(q, p, e, stamp, busy)
		if err != nil {
			return 0, err
		}
		if changed {
			n++
		}
	}
	return n, nil
}

// get reads an event. It is nil if there is none. Its body is the file's memory.
func (x *eventLog) get(seq uint64) (*record.Event, error) {
	key := record.Key1(seq)
	v := x.base.get(BucketEvents, key[:])
	if v == nil {
		return nil, nil
	}
	e, err := record.DecodeEvent(key[:], v)
	return &e, err
}

func (t *txn) requeueOne(
	q *store.DeliveryQuery, p page.Position, e *record.Event, stamp uint64, busy func(page.Position) bool,
) (bool, error) {
	sub, err := t.subs.get(p.Num)
	if err != nil || sub == nil || sub.Status != store.Subscribed {
		return false, err
	}
	was, ok, err := t.pending.Find(p.Num, p.Seq, e.KeyHash())
	if err != nil || !ok {
		return false, err
	}
	d, err := t.delivery(p.Num, e, &was)
	if err != nil || !q.Matches(&d) {
		return false, err
	}
	t.subs.unhold(p.Num)
	r := was
	r.Due = t.now
	if was.Pending() {
		if was.Due <= t.now || busy(p) {
			return false, nil
		}
	} else {
		r.State, r.AsOf, r.Base, r.FinishedAt, r.Reason = store.Pending, stamp, was.Attempts, 0, ""
	}
	return true, t.pending.Transition(pending.ID{Num: p.Num, Seq: p.Seq}, was, r, false)
}

// unhold ends the hold of a subscription.
func (x *subscriptions) unhold(num uint64) {
	h := x.health(num)
	if h.NextProbeAt.IsZero() {
		return
	}
	h.NextProbeAt = time.Time{}
	x.setHealth(num, h)
}
