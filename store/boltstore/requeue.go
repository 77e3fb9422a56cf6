package boltstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/internal/schedule"
)

// Requeue implements [store.History].
func (s *Store) Requeue(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
	result, err := s.requeue(ctx, q)
	if err != nil {
		return store.RequeueResult{}, fmt.Errorf("boltstore: requeue: %w", err)
	}
	return result, nil
}

func (s *Store) requeue(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
	if err := q.Validate(); err != nil {
		return store.RequeueResult{}, err
	}
	if len(q.States) == 0 {
		q.States = []store.State{store.Delivered, store.Dead, store.Canceled}
	}
	positions, next, err := s.requeueable(ctx, &q)
	if err != nil || len(positions) == 0 {
		return store.RequeueResult{Next: next}, err
	}
	q.States = slices.Clone(q.States) // run may read them after the caller has left
	var requeued int
	var held []string
	err = s.submit(ctx, &op{run: func(t *txn) (err error) {
		requeued, held, err = t.requeue(&q, positions)
		return err
	}})
	if err != nil {
		return store.RequeueResult{}, err
	}
	return store.RequeueResult{Requeued: requeued, Next: next, Held: held}, nil
}

// requeueable returns what one step is about, and the cursor for the next step. It goes from the
// oldest on, and reads in that direction only: what the steps before it have made pending must not
// be read again by each.
func (s *Store) requeueable(
	ctx context.Context, q *store.DeliveryQuery,
) (positions []page.Position, next string, err error) {
	walk, err := s.walkDeliveries(ctx, q)
	if err != nil {
		return nil, "", err
	}
	from := page.End()
	if q.Cursor == "" && q.Since.Unix() > 0 {
		err = s.read(ctx, func(t *txn) (err error) {
			from.Seq, err = t.firstSince(schedule.Nanos(q.Since))
			return err
		})
		if err != nil {
			return nil, "", err
		}
	}
	step, next, err := walk.StepBack(q.Cursor, from, page.Limit(q.Limit), sliceSize)
	if err != nil {
		return nil, "", err
	}
	return step.Positions(), next, nil
}

// firstSince returns the first event that can be from a time on or later: 0 if the clock was set back
// since, and with it the order of the events' times is of no use.
func (t *txn) firstSince(since int64) (seq uint64, err error) {
	setBack, err := t.metaNumber(metaSetBack)
	if err != nil || int64(setBack) >= since {
		return 0, err
	}
	c := t.bucket(log).Cursor()
	low, high := uint64(0), t.bucket(log).Sequence()+1
	for low < high { // all before low are from before since, and all from high on are not
		middle := low + (high-low)/2
		from := key1(middle)
		k, v := c.Seek(from[:])
		if k == nil {
			high = middle
			continue
		}
		e, err := decodeEvent(k, v)
		switch {
		case err != nil:
			return 0, nil // it can't be told
		case e.enqueued < since:
			low = number(k, 0) + 1
		default:
			high = middle
		}
	}
	return low, nil
}

// requeue makes the deliveries due that q still selects. It returns how many that were, and which of
// their subscriptions are held.
func (t *txn) requeue(q *store.DeliveryQuery, positions []page.Position) (n int, held []string, err error) {
	stamp, err := t.nextSeq()
	if err != nil {
		return 0, nil, err
	}
	seen := make(map[uint64]bool) // subscriptions of which something matched
	var e *event                  // of the deliveries that follow, which are often of the same
	for i, p := range positions {
		if i == 0 || p.Seq != positions[i-1].Seq {
			if e, err = t.event(p.Seq); err != nil {
				return 0, nil, err
			}
		}
		if e == nil || e.erased() {
			continue
		}
		matched, changed, err := t.requeueOne(q, p, e, stamp)
		if err != nil {
			return 0, nil, err
		}
		if changed {
			n++
		}
		if matched && !seen[p.Num] {
			seen[p.Num] = true
			if h := t.health(p.Num); schedule.Nanos(h.NextProbeAt) > t.now {
				held = append(held, t.subs[p.Num].ID) // requeueOne has read it
			}
		}
	}
	return n, held, nil
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

// requeueOne makes one delivery due, unless it is so already. matched says that q selects it and that
// its subscription is subscribed.
func (t *txn) requeueOne(q *store.DeliveryQuery, p page.Position, e *event, stamp uint64) (matched, changed bool, err error) {
	sub, err := t.sub(p.Num)
	if err != nil || sub == nil || sub.Status != store.Subscribed {
		return false, false, err
	}
	was, ok, err := t.find(p.Num, p.Seq, e.keyHash())
	if err != nil || !ok {
		return false, false, err
	}
	d, err := t.delivery(p.Num, e, &was)
	if err != nil || !q.Matches(&d) {
		return false, false, err
	}
	r := was
	r.due, r.atOnce = t.now, schedule.Asked
	if was.live() {
		if !t.waits(p.Num, &was, q.EventID != "") || t.store.busy(p.Num, p.Seq, t.now) {
			return true, false, nil
		}
	} else {
		r.state, r.stamp, r.base, r.finished, r.reason = store.Pending, stamp, was.attempts, 0, ""
	}
	return true, true, t.transition(p.Num, p.Seq, was, r, false)
}

// waits reports whether a pending delivery waits for a time, or, if it was named, for its
// subscription to succeed. Without the name it does not wait for that: all that the breaker holds
// back would be written anew by whoever asks for all, and is due when the breaker closes anyway.
func (t *txn) waits(num uint64, r *row, named bool) bool {
	return r.due > t.now || named && r.atOnce != schedule.Asked && t.health(num).Failures > 0
}

// ProbeNow implements [store.History].
func (s *Store) ProbeNow(ctx context.Context, subscriptionIDs ...string) error {
	err := s.check(ctx)
	if ids := slices.Clone(subscriptionIDs); err == nil && len(ids) > 0 { // run may outlive the call
		err = s.submit(ctx, &op{run: func(t *txn) error { return t.probeNow(ids) }})
	}
	if err != nil {
		return fmt.Errorf("boltstore: probe now: %w", err)
	}
	return nil
}

// probeNow ends the holds of subscriptions.
func (t *txn) probeNow(ids []string) error {
	for _, id := range ids {
		num, err := t.number(subIDs, []byte(id))
		if err != nil {
			return err
		}
		if num == 0 {
			continue
		}
		if h := t.health(num); !h.NextProbeAt.IsZero() {
			h.NextProbeAt = time.Time{}
			t.setHealth(num, h)
		}
	}
	return nil
}

// Recovered implements [store.History].
func (s *Store) Recovered(ctx context.Context, subscriptionID string) error {
	err := s.check(ctx)
	if err == nil {
		err = s.submit(ctx, &op{run: func(t *txn) error {
			num, err := t.number(subIDs, []byte(subscriptionID))
			if err == nil && num != 0 {
				t.setHealth(num, t.health(num).Recovered())
			}
			return err
		}})
	}
	if err != nil {
		return fmt.Errorf("boltstore: recovered: %w", err)
	}
	return nil
}

// busy reports whether somebody holds a delivery.
func (s *Store) busy(num, seq uint64, now int64) bool {
	s.mu.Lock()
	defer s.unlock()
	s.schedule.Expire(now)
	q := s.schedule.Sub(num)
	return q != nil && q.Busy(seq)
}
