package memstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/rollup"
)

// Finish implements [store.Queue]. Outcomes are recorded in their order, each with the health that
// the one before has left.
func (s *Store) Finish(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
	if err := store.ValidateOutcomes(outcomes); err != nil {
		return nil, fmt.Errorf("memstore: finish: %w", err)
	}
	now, err := s.begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("memstore: finish: %w", err)
	}
	defer s.end()
	results := make([]store.Result, len(outcomes))
	for i, o := range outcomes {
		results[i] = s.finish(o, now)
	}
	return results, nil
}

// finish records one outcome, if it counts.
func (s *state) finish(o store.Outcome, now time.Time) store.Result {
	// By its names and not by its lease, since a success counts without one.
	d := s.delivery(o.SubscriptionID, o.EventID)
	if d == nil || !s.counts(d, o) {
		return store.Result{Ignored: true}
	}
	// Of this moment and not of the claim: another outcome of the call may have changed it.
	before := d.sub.turns.Health()
	// Without an attempt, so nothing is counted and nothing was learned of the endpoint.
	if o.State == store.Canceled {
		s.cancel(d, o.Attempt.Error, now)
		return store.Result{Before: before, After: before}
	}
	// Before next, which goes by how many attempts there were.
	d.attempted(&o)
	for _, num := range []uint64{d.sub.num, rollup.All} {
		s.attempts.Add(num, now, &o.Attempt, o.State == store.Delivered)
	}
	// The same pointer if nothing has changed, as after most successes; claims share it.
	after := before
	if next := before.Next(&o, now); next != *before {
		after = &next
	}
	s.next(d, o, after, now)
	s.queue.SetHealth(d.sub.turns, after, now.UnixNano())
	return store.Result{Before: before, After: after}
}

// counts reports whether the outcome is of the present claim, or at least says that the endpoint
// has the event. A success counts without its claim, since sending the event again would only
// repeat it. What has ended as delivered or dead stays so.
func (s *state) counts(d *delivery, o store.Outcome) bool {
	switch d.state {
	case store.Pending:
		return s.lease(o.Lease) != nil || o.State == store.Delivered
	case store.Canceled:
		return o.State == store.Delivered
	}
	return false
}

// attempted adds a counted attempt to the history of d.
func (d *delivery) attempted(o *store.Outcome) {
	a := o.Attempt.Clone()   // it is the caller's, who may use it again
	a.Number = d.tried() + 1 // the claim's, unless it comes late
	// The event was erased while the attempt was under way.
	if d.event.erased {
		a.Response, a.Detail = nil, nil
	}
	if d.attempts = append(d.attempts, a); len(d.attempts) > store.MaxAttempts {
		d.attempts = slices.Delete(d.attempts, 0, 1)
	}
	for i := range d.attempts {
		if was := &d.attempts[i]; !store.KeepsDetail(was.Number, a.Number) {
			was.Detail = nil
		}
	}
	if !o.KeepRetry || o.State != store.Pending {
		d.retry++
	}
}

// next takes d to its next state, which ends its lease. after is the subscription's health as the
// outcome leaves it.
func (s *state) next(d *delivery, o store.Outcome, after *store.Health, now time.Time) {
	// What an erasure has removed must not come back with a late success.
	if o.BodyState != store.BodyUndecided && !d.event.erased {
		d.bodyState, d.override = o.BodyState, slices.Clone(o.BodyOverride)
	}
	// A retry stands by its time from now on, and no longer by its event.
	if o.State == store.Pending {
		d.setDue(now.Add(o.RetryIn), 0, now)
		// It waits for the breaker alone, so it is due as soon as that closes; see order.Parked.
		if o.Parks(after) {
			d.setDue(now, order.Parked(d.tried()), now)
		}
		s.queue.place(d, true, now)
		return
	}
	if d.state == store.Pending { // or else canceled, and now a late success
		s.queue.remove(d, now)
	}
	s.ended.conclude(d, o.State, now)
}

// cancel ends a pending delivery without an attempt. Its lease, if there is one, ends. The lock is
// held.
func (s *state) cancel(d *delivery, reason string, now time.Time) {
	s.queue.remove(d, now)
	d.canceled = reason
	s.ended.conclude(d, store.Canceled, now)
}

// delivery returns a stored delivery; nil if there is none. The event is the one of the
// subscription's tenant. A name that is unknown, or was deleted, has none.
func (s *state) delivery(subscriptionID, eventID string) *delivery {
	sub := s.subs[subscriptionID]
	if sub == nil {
		return nil
	}
	e := s.log.byName[name{sub.Tenant, eventID}]
	if e == nil {
		return nil
	}
	return sub.deliveries[e.num]
}
