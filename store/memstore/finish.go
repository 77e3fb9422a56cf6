package memstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Finish implements [store.Queue].
func (s *Store) Finish(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
	for _, o := range outcomes {
		if o.State != store.Delivered && o.State != store.Dead && o.State != store.Pending {
			err := &events.InvalidError{Field: "state", Reason: "is not delivered, dead or pending"}
			return nil, fmt.Errorf("memstore: finish: %w", err)
		}
	}
	now, err := s.begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("memstore: finish: %w", err)
	}
	defer s.mu.Unlock()
	results := make([]store.Result, len(outcomes))
	for i, o := range outcomes {
		results[i] = s.finish(o, now)
	}
	s.wakeReader() // there is room now
	return results, nil
}

// finish records one outcome, if it counts.
func (s *Store) finish(o store.Outcome, now time.Time) store.Result {
	d := s.delivery(o.SubscriptionID, o.EventID)
	if d == nil || !counts(d, o) {
		return store.Result{Ignored: true}
	}
	s.unlease(d)
	o.Attempt.Number = len(d.attempts) + 1 // the claim's, unless it comes late
	o.Attempt.Response = slices.Clone(o.Attempt.Response)
	d.attempts = append(d.attempts, o.Attempt)
	d.retry++
	d.token = 0
	d.next(o, now)
	before := d.sub.health
	s.setHealth(d.sub, d.sub.judged(o, now))
	s.settle(d.sub, now)
	return store.Result{Before: before, After: d.sub.health}
}

// counts reports whether the outcome is of the present claim, or at least says that the endpoint has the event.
func counts(d *delivery, o store.Outcome) bool {
	switch d.state {
	case store.Pending:
		return o.Token == d.token && d.token != 0 || o.State == store.Delivered
	case store.Canceled:
		return o.State == store.Delivered
	}
	return false
}

// next takes d to its next state.
func (d *delivery) next(o store.Outcome, now time.Time) {
	if o.State == store.Pending {
		d.leave()
		d.due = now.Add(o.RetryIn)
		d.sub.queueUp(d, now)
		return
	}
	if d.state == store.Pending { // or else canceled, and now a late success
		d.sub.remove(d, now)
	}
	d.state, d.finished = o.State, now
}

// judged returns the health of sub after the outcome.
func (sub *subscription) judged(o store.Outcome, now time.Time) store.Health {
	h := sub.health
	if o.State == store.Delivered {
		return store.Health{Proven: true}
	}
	if h.Failures > 0 {
		gap := now.Sub(sub.lastFailure)
		h.FailingFor += min(max(gap, 0), store.MaxFailureGap)
	}
	sub.lastFailure = now
	h.Proven = false
	h.Failures++
	if o.HoldFor > 0 {
		if !sub.held(now) {
			h.Holds++
		}
		if until := now.Add(o.HoldFor); until.After(h.HeldUntil) {
			h.HeldUntil = until
		}
	}
	return h
}

// Release implements [store.Queue].
func (s *Store) Release(ctx context.Context, leases ...store.Lease) error {
	now, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("memstore: release: %w", err)
	}
	defer s.mu.Unlock()
	for _, l := range leases {
		d := s.delivery(l.SubscriptionID, l.EventID)
		if d == nil || d.token == 0 || d.token != l.Token {
			continue
		}
		d.token = 0
		if s.leased(d) {
			s.unlease(d)
			d.sub.queueUp(d, now)
			s.settle(d.sub, now)
			s.wakeReader()
		}
	}
	return nil
}

// delivery returns a stored delivery; nil when there is none.
func (s *Store) delivery(subscriptionID, eventID string) *delivery {
	sub := s.subs[subscriptionID]
	if sub == nil {
		return nil
	}
	return sub.deliveries[eventID]
}
