package boltstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

// Requeue implements [store.History].
func (s *Store) Requeue(ctx context.Context, q store.DeliveryQuery) (n int, next string, err error) {
	if len(q.States) == 0 {
		q.States = []store.State{store.Delivered, store.Dead, store.Canceled}
	}
	var positions []page.Position
	if err = q.Validate(); err == nil {
		positions, next, err = s.requeueable(ctx, &q)
	}
	if err == nil && len(positions) > 0 {
		q.States = slices.Clone(q.States) // run may read them after the caller has left
		requeued := 0
		err = s.submit(ctx, &op{run: func(t *txn) (err error) {
			requeued, err = t.requeue(&q, positions)
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
func (s *Store) requeueable(
	ctx context.Context, q *store.DeliveryQuery,
) (positions []page.Position, next string, err error) {
	walk, err := s.walkDeliveries(ctx, q)
	if err != nil {
		return nil, "", err
	}
	step, next, err := walk.Step(q.Cursor, page.Limit(q.Limit), sliceSize)
	if err != nil {
		return nil, "", err
	}
	return step.Positions(), next, nil
}

// requeue makes the deliveries due that q still selects, and returns how many that were.
func (t *txn) requeue(q *store.DeliveryQuery, positions []page.Position) (n int, err error) {
	stamp, err := t.nextSeq()
	if err != nil {
		return 0, err
	}
	var e *event // of the deliveries that follow, which are often of the same
	for i, p := range positions {
		if i == 0 || p.Seq != positions[i-1].Seq {
			if e, err = t.event(p.Seq); err != nil {
				return 0, err
			}
		}
		if e == nil || e.erased() {
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
func (t *txn) event(seq uint64) (*event, error) {
	key := key1(seq)
	v := t.get(log, key[:])
	if v == nil {
		return nil, nil
	}
	e, err := decodeEvent(key[:], v)
	return &e, err
}

func (t *txn) requeueOne(
	q *store.DeliveryQuery, p page.Position, e *event, stamp uint64,
) (bool, error) {
	sub, err := t.sub(p.Num)
	if err != nil || sub == nil || sub.Status != store.Subscribed {
		return false, err
	}
	was, ok, err := t.find(p.Num, p.Seq, e.keyHash())
	if err != nil || !ok {
		return false, err
	}
	d, err := t.delivery(p.Num, e, &was)
	if err != nil || !q.Matches(&d) {
		return false, err
	}
	t.unhold(p.Num)
	r := was
	r.due = t.now
	if was.live() {
		if was.due <= t.now || t.store.busy(p.Num, p.Seq, t.now) {
			return false, nil
		}
	} else {
		r.state, r.stamp, r.base, r.finished, r.reason = store.Pending, stamp, was.attempts, 0, ""
	}
	return true, t.transition(p.Num, p.Seq, was, r, false)
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
