package boltstore

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
)

// Finish implements [store.Queue].
func (s *Store) Finish(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
	results, err := s.finish(ctx, outcomes)
	if err != nil {
		return nil, fmt.Errorf("boltstore: finish: %w", err)
	}
	return results, nil
}

func (s *Store) finish(ctx context.Context, outcomes []store.Outcome) ([]store.Result, error) {
	if err := store.ValidateOutcomes(outcomes); err != nil {
		return nil, err
	}
	if err := s.check(ctx); err != nil || len(outcomes) == 0 {
		return nil, err
	}
	f := &finishing{outcomes: make([]outcome, len(outcomes))}
	for i, o := range outcomes {
		f.outcomes[i] = newOutcome(o)
	}
	now := s.now()
	s.mu.Lock()
	for i := range f.outcomes {
		o := &f.outcomes[i]
		if l := s.present(o.Token, o.SubscriptionID, o.EventID); l != nil {
			s.schedule.Seal(l, o.State == store.Delivered, now)
			o.lease = l
		}
	}
	s.unlock()
	err := s.submit(ctx, &op{
		run:        f.run,
		outcomes:   len(outcomes),
		nextCommit: f.awaited(),
		ended:      func(err error) { s.finishEnded(f, err) },
	})
	if err != nil {
		return nil, err
	}
	return f.results, nil
}

// finishEnded ends the leases of a Finish, or gives them back if it failed.
func (s *Store) finishEnded(f *finishing, err error) {
	for _, o := range f.outcomes {
		switch l := o.lease; {
		case l == nil:
		case err != nil:
			s.schedule.Unseal(l)
		default: // unless it has ended, the outcome was ignored
			s.schedule.Release(l, s.now())
		}
	}
}

// finishing is a Finish on its way.
type finishing struct {
	outcomes []outcome
	results  []store.Result
}

// awaited reports whether something may wait for the outcomes: the next delivery of a key, or room
// in the limits of Claim, which failures make only when they are recorded.
func (f *finishing) awaited() bool {
	return slices.ContainsFunc(f.outcomes, func(o outcome) bool {
		return o.State != store.Delivered || o.lease != nil && o.lease.Data.key != 0
	})
}

// outcome is one outcome that is to be recorded.
type outcome struct {
	store.Outcome
	attempt []byte // the attempt as it is stored; Attempt itself has no Response
	lease   *lease // sealed; nil when the token is not the present one
}

// newOutcome returns an outcome that shares no memory with the caller's.
func newOutcome(o store.Outcome) outcome {
	own := outcome{Outcome: o}
	if o.State != store.Canceled {
		own.attempt = appendAttempt(nil, &o.Attempt)
	}
	own.Attempt.Response = nil
	own.BodyState, own.BodyOverride = store.BodyUndecided, nil
	if o.State == store.Pending || o.State == store.Dead {
		own.BodyState, own.BodyOverride = o.BodyState, bytes.Clone(o.BodyOverride)
	}
	return own
}

func (f *finishing) run(t *txn) error {
	f.results = make([]store.Result, len(f.outcomes))
	for i := range f.outcomes {
		r, err := t.conclude(&f.outcomes[i])
		if err != nil {
			return err
		}
		f.results[i] = r
	}
	return nil
}

// conclude records one outcome, if it counts.
func (t *txn) conclude(o *outcome) (store.Result, error) {
	ignored := store.Result{Ignored: true}
	num, seq, was, ok, err := t.subject(o)
	if err != nil || !ok {
		return ignored, err
	}
	// The token is good only for what was claimed with it: the delivery may have been requeued since.
	present := o.lease != nil && was.live() && was.stamp == o.lease.Data.stamp
	late := o.State == store.Delivered && (was.live() || was.state == store.Canceled)
	if !present && !late {
		return ignored, nil
	}
	if !present {
		if err := t.heedErasure(seq, o); err != nil {
			return ignored, err
		}
	}
	before := t.health(num)
	next := before.Next(&o.Outcome, asTime(t.now))
	r, err := t.concluded(num, seq, was, o, &next)
	if err != nil {
		return ignored, err
	}
	if err := t.transition(num, seq, was, r, true); err != nil {
		return ignored, err
	}
	if o.State != store.Canceled {
		t.count(num, o)
		t.setHealth(num, next)
	}
	return store.Result{Before: before, After: next}, nil
}

// concluded returns what a delivery is after an outcome that counts and leaves the given health.
func (t *txn) concluded(num, seq uint64, was row, o *outcome, health *store.Health) (row, error) {
	r := was
	r.state, r.finished, r.due, r.atOnce, r.reason = o.State, t.now, 0, 0, ""
	switch {
	case o.Parks(health):
		r.finished, r.due, r.atOnce = 0, t.now, schedule.Parked(r.attempts+1)
	case o.State == store.Pending:
		r.finished, r.due = 0, after(t.now, o.RetryIn)
	default:
		r.behind = false
	}
	if o.State == store.Canceled {
		r.reason = o.Attempt.Error
		return r, nil
	}
	r.addAttempt(o.attempt)
	if o.KeepRetry && o.State == store.Pending {
		r.base++
	}
	if o.BodyState == store.BodyUndecided {
		return r, nil
	}
	if r.body = o.BodyState; !r.overridden() {
		return r, nil // replace removes an override that was there
	}
	return r, t.putOverride(num, seq, o.BodyOverride)
}

// subject finds the delivery that an outcome is about.
func (t *txn) subject(o *outcome) (num, seq uint64, r row, ok bool, err error) {
	if l := o.lease; l != nil {
		if num, seq = l.Sub.Num, l.Seq; !t.alive(num) {
			return num, seq, row{}, false, nil
		}
		r, ok, err = t.find(num, seq, l.Data.key)
		return num, seq, r, ok, err
	}
	if o.State != store.Delivered {
		return 0, 0, row{}, false, nil
	}
	return t.lookUp(o.SubscriptionID, o.EventID)
}

// lookUp finds a delivery by its names.
func (t *txn) lookUp(subscriptionID, eventID string) (num, seq uint64, r row, ok bool, err error) {
	if num, err = t.number(subIDs, []byte(subscriptionID)); err != nil || num == 0 {
		return 0, 0, row{}, false, err
	}
	if seq, err = t.eventNumber(eventID); err != nil || seq == 0 {
		return 0, 0, row{}, false, err
	}
	key := key1(seq)
	v := t.get(log, key[:])
	packed, err := decodeTargets(key[:], v)
	if err != nil {
		return 0, 0, row{}, false, err
	}
	if ok, err = packedHas(packed, num); err != nil || !ok {
		return 0, 0, row{}, false, err
	}
	e, err := decodeEvent(key[:], v)
	if err != nil {
		return 0, 0, row{}, false, err
	}
	r, ok, err = t.find(num, seq, e.keyHash())
	return num, seq, r, ok, err
}
