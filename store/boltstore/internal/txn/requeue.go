package txn

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/internal/schedule"
)

// requeuing is a Requeue under way.
type requeuing struct {
	*Tx
	query *store.DeliveryQuery
	busy  func(page.Position) bool // whether a delivery is leased
	asOf  uint64                   // the number that deliveries are pending as of

	matched map[uint64]bool // subscriptions that something has matched of
	result  store.RequeueResult
}

// Requeue makes the deliveries at positions due that q still selects. busy reports which of them
// are leased. It returns how many that were, and which of their subscriptions are held; Next is
// left empty. positions were found in earlier transactions, so each delivery is looked at again;
// one that has changed since is passed over.
func (t *Tx) Requeue(
	q *store.DeliveryQuery, positions []page.Position, busy func(page.Position) bool,
) (store.RequeueResult, error) {
	// One number for all. It is later than those of all marks, so none of them cancels what is
	// requeued.
	asOf, err := t.NextSeq()
	if err != nil {
		return store.RequeueResult{}, err
	}
	r := requeuing{Tx: t, query: q, busy: busy, asOf: asOf, matched: make(map[uint64]bool)}
	var e *record.Event // of the deliveries that follow, which are often of the same
	for i, p := range positions {
		if i == 0 || p.Seq != positions[i-1].Seq {
			if e, err = t.Events.Get(p.Seq); err != nil {
				return store.RequeueResult{}, err
			}
		}
		// There is nothing to send any more, or it is too late.
		if e == nil || e.Erased() || e.Expired(t.Now) {
			continue
		}
		if err := r.one(p, e); err != nil {
			return store.RequeueResult{}, err
		}
	}
	return r.result, nil
}

// one makes one delivery due, unless it is so already.
func (r *requeuing) one(p page.Position, e *record.Event) error {
	sub, err := r.Subs.Get(p.Num)
	if err != nil || sub == nil || !sub.Collects() {
		return err
	}
	if closed, err := r.IsClosed(sub.Tenant); closed || err != nil {
		return err
	}
	was, ok, err := r.Pending.Find(p.Num, p.Seq, e.KeyHash())
	if err != nil || !ok {
		return err
	}
	d, err := r.Delivery(p.Num, e, &was)
	if err != nil || !r.query.Matches(&d) {
		return err
	}
	r.noteHeld(p.Num, sub.ID)
	is := was
	is.SetDue(r.Now, order.Asked, e.NotBefore, r.Now)
	if was.Pending() {
		if is.Waits { // it is not to be sent yet
			return nil
		}
		// One that is leased has its attempt under way: making it due would have a second one made.
		if !r.waits(p.Num, &was) || r.busy(p) {
			return nil
		}
	} else {
		// Its attempts stay, and Base makes Claim.Retry begin at zero.
		is.State, is.AsOf, is.Base = store.Pending, r.asOf, was.Attempts
		is.FinishedAt, is.Reason = 0, ""
	}
	r.result.Requeued++
	// No lease ends: one that runs was excluded above, and a delivery that had ended has none.
	return r.Pending.Transition(pending.ID{Num: p.Num, Seq: p.Seq}, was, is, false)
}

// noteHeld notes a subscription that is held, once.
func (r *requeuing) noteHeld(num uint64, id string) {
	if r.matched[num] {
		return
	}
	r.matched[num] = true
	if h := r.Subs.Health(num); schedule.Nanos(h.NextProbeAt) > r.Now {
		r.result.Held = append(r.result.Held, id)
	}
}

// waits reports whether a pending delivery waits for a time, or, if it was named, for its
// subscription to succeed. Without the name it does not wait for that: a call that asks for all
// would write anew all that the breaker holds back, which is due when the breaker closes anyway.
func (r *requeuing) waits(num uint64, d *pending.Delivery) bool {
	named := r.query.EventID != ""
	return d.Due > r.Now || named && d.AtOnce != order.Asked && r.Subs.Health(num).Failures > 0
}
