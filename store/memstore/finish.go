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
		if !slices.Contains(store.States(), o.State) {
			err := &events.InvalidError{Field: "state", Reason: "is not pending, delivered, dead or canceled"}
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
	before := d.sub.health
	if o.State == store.Canceled {
		s.cancel(d, o.Attempt.Error, now)
		return store.Result{Before: before, After: before}
	}
	s.unlease(d)
	d.token = 0
	d.attempted(o.Attempt)
	d.sub.count(&o, now)
	s.next(d, o, now)
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

// attempted adds a counted attempt to the history of d.
func (d *delivery) attempted(a store.Attempt) {
	a.Number = len(d.attempts) + 1 // the claim's, unless it comes late
	a.Response = slices.Clone(a.Response)
	if d.event.erased {
		a.Response = nil
	}
	d.attempts = append(d.attempts, a)
	d.retry++
}

// next takes d to its next state.
func (s *Store) next(d *delivery, o store.Outcome, now time.Time) {
	if o.Body != nil && o.State != store.Delivered {
		d.body = slices.Clone(o.Body)
	}
	if o.State == store.Pending {
		d.leave()
		d.due = now.Add(o.RetryIn)
		d.sub.queueUp(d, now)
		return
	}
	if d.state == store.Pending { // or else canceled, and now a late success
		d.sub.remove(d, now)
	}
	s.end(d, o.State, now)
}

// judged returns the health of sub after the outcome.
func (sub *subscription) judged(o store.Outcome, now time.Time) store.Health {
	h := sub.health
	if o.State == store.Delivered {
		return store.Health{Proven: true, Recovering: recovering(h)}
	}
	if h.Failures > 0 {
		gap := now.Sub(sub.lastFailure)
		h.FailingFor += min(max(gap, 0), store.MaxFailureGap)
	}
	sub.lastFailure = now
	h.Proven = false
	h.Failures++
	h.Recovering = 0
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

// recovering returns how many more successes it takes after one that comes at the health h.
func recovering(h store.Health) int {
	if h.Failures > 0 {
		return min(h.Failures, store.MaxRecovering)
	}
	return max(h.Recovering-1, 0)
}

// cancel ends a pending delivery without an attempt. Its lease, if there is one, is void.
func (s *Store) cancel(d *delivery, reason string, now time.Time) {
	s.unlease(d)
	d.sub.remove(d, now)
	d.canceled, d.token = reason, 0
	s.end(d, store.Canceled, now)
	s.settle(d.sub, now)
}

// delivery returns a stored delivery; nil when there is none.
func (s *Store) delivery(subscriptionID, eventID string) *delivery {
	sub := s.subs[subscriptionID]
	if sub == nil {
		return nil
	}
	return sub.deliveries[eventID]
}
