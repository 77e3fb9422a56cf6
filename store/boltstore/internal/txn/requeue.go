package txn

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/page"
)

// Requeue makes the deliveries due that q still selects, and returns how many that were.
func (t *Tx) Requeue(
	q *store.DeliveryQuery, positions []page.Position, busy func(page.Position) bool,
) (n int, err error) {
	asOf, err := t.nextSeq()
	if err != nil {
		return 0, err
	}
	var e *record.Event // of the deliveries that follow, which are often of the same
	for i, p := range positions {
		if i == 0 || p.Seq != positions[i-1].Seq {
			if e, err = t.Events.Get(p.Seq); err != nil {
				return 0, err
			}
		}
		if e == nil || e.Erased() {
			continue
		}
		changed, err := t.requeueOne(q, p, e, asOf, busy)
		if err != nil {
			return 0, err
		}
		if changed {
			n++
		}
	}
	return n, nil
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

func (t *Tx) requeueOne(
	q *store.DeliveryQuery, p page.Position, e *record.Event, asOf uint64,
	busy func(page.Position) bool,
) (bool, error) {
	sub, err := t.Subs.Get(p.Num)
	if err != nil || sub == nil || sub.Status != store.Subscribed {
		return false, err
	}
	was, ok, err := t.Pending.Find(p.Num, p.Seq, e.KeyHash())
	if err != nil || !ok {
		return false, err
	}
	d, err := t.Delivery(p.Num, e, &was)
	if err != nil || !q.Matches(&d) {
		return false, err
	}
	t.Subs.EndHold(p.Num)
	r := was
	r.Due = t.Now
	if was.Pending() {
		if was.Due <= t.Now || busy(p) {
			return false, nil
		}
	} else {
		r.State, r.AsOf, r.Base, r.FinishedAt, r.Reason = store.Pending, asOf, was.Attempts, 0, ""
	}
	return true, t.Pending.Transition(pending.ID{Num: p.Num, Seq: p.Seq}, was, r, false)
}

// EndHold ends the hold of a subscription.
func (x *subscriptions) EndHold(num uint64) {
	h := x.Health(num)
	if h.NextProbeAt.IsZero() {
		return
	}
	h.NextProbeAt = time.Time{}
	x.setHealth(num, h)
}
