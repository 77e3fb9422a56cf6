package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

// Deliveries implements [store.History].
func (s *Store) Deliveries(
	ctx context.Context, q store.DeliveryQuery,
) (store.Page[store.Delivery], error) {
	found, err := s.deliveries(ctx, &q)
	if err != nil {
		return store.Page[store.Delivery]{}, fmt.Errorf("boltstore: deliveries: %w", err)
	}
	return found, nil
}

func (s *Store) deliveries(
	ctx context.Context, q *store.DeliveryQuery,
) (found store.Page[store.Delivery], err error) {
	if err := q.Validate(); err != nil {
		return found, err
	}
	walk, err := s.walkDeliveries(ctx, q)
	if err != nil {
		return found, err
	}
	found, err = walk.Page(q.Cursor, page.Limit(q.Limit), store.DefaultDeliveryLimit)
	if err == nil && q.Count {
		found.Total, err = walk.Count()
	}
	return found, err
}

// Attempts implements [store.History].
func (s *Store) Attempts(ctx context.Context, subscriptionID, eventID string) ([]store.Attempt, error) {
	err := s.check(ctx)
	var attempts []store.Attempt
	if err == nil {
		err = s.read(ctx, func(t *txn) error {
			_, _, r, ok, err := t.lookUp(subscriptionID, eventID)
			if err != nil {
				return err
			}
			if !ok {
				return store.ErrNotFound
			}
			return r.eachAttempt(func(a attempt) { attempts = append(attempts, a.record()) })
		})
	}
	if err != nil {
		return nil, fmt.Errorf("boltstore: attempts: %w", err)
	}
	return attempts, nil
}

// delivery returns the record that callers see.
func (t *txn) delivery(num uint64, e *event, r *row) (store.Delivery, error) {
	id, err := t.subscriptionID(num)
	if err != nil {
		return store.Delivery{}, err
	}
	d := store.Delivery{
		SubscriptionID: id,
		EventID:        e.id,
		EventType:      e.typ,
		Tenant:         e.tenant,
		State:          r.state,
		Erased:         e.erased(),
		Attempts:       r.attempts,
		CreatedAt:      asTime(e.enqueued),
		FinishedAt:     asTime(r.finished),
	}
	if r.live() {
		d.DueAt = asTime(r.due)
		if r.due == 0 {
			d.DueAt = d.CreatedAt
		}
	}
	last, ok, err := r.last()
	if ok {
		d.LastStatus, d.LastError = last.status, string(last.err)
	}
	if r.reason != "" || r.state == store.Canceled {
		d.LastError = r.reason
	}
	if r.state == store.Delivered {
		d.LastError = ""
	}
	return d, err
}

// subscriptionID returns the ID of a subscription that is there.
func (t *txn) subscriptionID(num uint64) (string, error) {
	if id, ok := t.ids[num]; ok {
		return id, nil
	}
	key := key1(num)
	id, err := decodeSubscriptionID(key[:], t.get(subs, key[:]))
	if err != nil {
		return "", err
	}
	if t.ids == nil {
		t.ids = make(map[uint64]string)
	}
	t.ids[num] = id
	return id, nil
}
