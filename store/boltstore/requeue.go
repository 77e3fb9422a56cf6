package boltstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// Requeue implements [store.History].
func (s *Store) Requeue(ctx context.Context, q store.DeliveryQuery) (n int, next string, err error) {
	if len(q.States) == 0 {
		q.States = []store.State{store.Delivered, store.Dead, store.Canceled}
	}
	var spots []spot
	if err = q.Validate(); err == nil {
		spots, next, err = s.requeueable(ctx, &q)
	}
	if err == nil && len(spots) > 0 {
		q.States = slices.Clone(q.States) // run may read them after the caller has left
		requeued := 0
		err = s.submit(ctx, &op{run: func(t *txn) (err error) {
			requeued, err = t.requeue(&q, spots)
			return err
		}})
		if err == nil {
			n = requeued
		}
	}
	if err != nil {
		return 0, "", fmt.Errorf("boltstore: requeue: %w", err)
	}
	return n, next, nil
}

// requeueable returns what one step is about, and the cursor for the next step. It reads forward
// only: what the steps before it have made pending must not be read again by each.
func (s *Store) requeueable(ctx context.Context, q *store.DeliveryQuery) (spots []spot, next string, err error) {
	w, err := s.walkDeliveries(ctx, q)
	if err != nil {
		return nil, "", err
	}
	limit := deliveryLimit(q)
	p, err := w.part(q.Cursor, newest(), limit, min(limit, sliceSize))
	if err != nil {
		return nil, "", err
	}
	next, err = w.next(&p)
	return p.spots, next, err
}

// requeue makes the deliveries due that q still selects, and returns how many that were.
func (t *txn) requeue(q *store.DeliveryQuery, spots []spot) (n int, err error) {
	stamp, err := t.nextSeq()
	if err != nil {
		return 0, err
	}
	var e *record.Event // of the deliveries that follow, which are often of the same
	for i, p := range spots {
		if i == 0 || p.seq != spots[i-1].seq {
			if e, err = t.event(p.seq); err != nil {
				return 0, err
			}
		}
		if e == nil || e.Erased() {
			continue
		}
		changed, err := t.requeueOne(q, p, e, stamp)
		if err != nil {
			return 0, err
		}
		if changed {
			n++
		}
	}
	return n, nil
}

// event reads an event. It is nil if there is none. Its body is the file's memory.
func (t *txn) event(seq uint64) (*record.Event, error) {
	key := record.Key1(seq)
	v := t.get(log, key[:])
	if v == nil {
		return nil, nil
	}
	e, err := record.DecodeEvent(key[:], v)
	return &e, err
}

func (t *txn) requeueOne(q *store.DeliveryQuery, p spot, e *record.Event, stamp uint64) (bool, error) {
	sub, err := t.sub(p.num)
	if err != nil || sub == nil || sub.Status != store.Subscribed {
		return false, err
	}
	was, ok, err := t.find(p.num, p.seq, e.KeyHash())
	if err != nil || !ok {
		return false, err
	}
	d, err := t.delivery(p.num, e, &was)
	if err != nil || !q.Matches(&d) {
		return false, err
	}
	t.unhold(p.num)
	r := was
	r.Due = t.now
	if was.Pending() {
		if was.Due <= t.now || t.store.busy(p.num, p.seq, t.now) {
			return false, nil
		}
	} else {
		r.State, r.AsOf, r.Base, r.FinishedAt, r.Reason = store.Pending, stamp, was.Attempts, 0, ""
	}
	return true, t.transition(p.num, p.seq, was, r, false)
}

// unhold ends the hold of a subscription.
func (t *txn) unhold(num uint64) {
	h := t.health(num)
	if h.NextProbeAt.IsZero() {
		return
	}
	h.NextProbeAt = time.Time{}
	t.setHealth(num, h)
}

// busy reports whether somebody holds a delivery.
func (s *Store) busy(num, seq uint64, now int64) bool {
	s.mu.Lock()
	defer s.unlock()
	s.schedule.Expire(now)
	q := s.schedule.Sub(num)
	return q != nil && q.Busy(seq)
}
