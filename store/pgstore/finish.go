package pgstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// Finish implements [store.Queue].
//
// Calls that come while others are on their way to the disk share one transaction.
func (s *Store) Finish(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
	results, err := s.finish(ctx, outcomes)
	if err != nil {
		return nil, fmt.Errorf("pgstore: finish: %w", err)
	}
	return results, nil
}

func (s *Store) finish(ctx context.Context, outcomes []store.Outcome) ([]store.Result, error) {
	if err := store.ValidateOutcomes(outcomes); err != nil {
		return nil, err
	}
	if err := s.begin(ctx); err != nil || len(outcomes) == 0 {
		return nil, err
	}
	own := make([]*outcome, len(outcomes))
	size := 0
	for i := range outcomes {
		own[i] = newOutcome(&outcomes[i])
		size += len(own[i].log) + len(own[i].answer) + len(own[i].body)
	}
	s.sealAll(own)
	results, err := s.finishes.do(ctx, own, size)
	var given *notDone
	if errors.As(err, &given) {
		s.unsealAll(own)
		err = given.error
	}
	return results, err
}

// outcome is an outcome that is to be recorded. It shares no memory with the caller's.
type outcome struct {
	store.Lease
	state          store.State
	health         store.Outcome // what health goes by: without the Response and the body
	before         store.Health  // of a simple one
	retryIn        int64         // microseconds
	status         int16
	err            string
	log            []byte // the attempt
	answer, body   []byte
	bodyState      int16
	attempt        store.Attempt // without its Response
	lease          *lease        // sealed; nil if the token is not the present one
	share          int32         // of the lease, and its fence
	fence          int64
	simple, placed bool // see sortOut; it has been recorded
}

func newOutcome(o *store.Outcome) *outcome {
	own := &outcome{Lease: o.Lease, state: o.State, err: plain(o.Attempt.Error), attempt: o.Attempt}
	own.SubscriptionID, own.EventID = plain(o.SubscriptionID), plain(o.EventID)
	own.attempt.Response = nil
	own.health = *o
	own.health.Attempt, own.health.BodyOverride = own.attempt, nil
	if o.State == store.Canceled {
		return own
	}
	own.status = int16(o.Attempt.Status)
	own.log = appendAttempt(nil, &o.Attempt)
	own.answer = slices.Clone(o.Attempt.Response)
	if o.State == store.Pending {
		own.retryIn = micros(o.RetryIn)
	}
	if o.BodyState != store.BodyUndecided && o.State != store.Delivered {
		own.bodyState = int16(o.BodyState)
		if o.BodyState == store.BodyOverridden {
			own.body = append([]byte{}, o.BodyOverride...) // it may be empty, and is not NULL
		}
	}
	return own
}

// sealAll finds the leases of outcomes. Those of successes count no more against the limits of
// Claim: the requests are over.
func (s *Store) sealAll(outcomes []*outcome) {
	s.mu.Lock()
	defer s.unlock()
	now := s.clock.now()
	for _, o := range outcomes {
		l := s.present(o.Token, o.SubscriptionID, o.EventID)
		if l == nil {
			continue
		}
		s.schedule.Seal(l, o.state == store.Delivered, now)
		o.lease, o.share = l, int32(l.Sub.Num%shareCount)
		o.fence = s.shares[o.share].fence
	}
}

// unsealAll gives leases back whose outcomes were not recorded.
func (s *Store) unsealAll(outcomes []*outcome) {
	s.mu.Lock()
	defer s.unlock()
	for _, o := range outcomes {
		if o.lease != nil {
			s.schedule.Unseal(o.lease)
			o.lease = nil
		}
	}
}

// endAll ends the leases of outcomes that were recorded or ignored. Those of the recorded have
// ended already.
func (s *Store) endAll(outcomes []*outcome) {
	s.mu.Lock()
	defer s.unlock()
	now := s.clock.now()
	for _, o := range outcomes {
		if o.lease != nil {
			s.schedule.Release(o.lease, now)
		}
	}
}

// finishJoined records what several callers have to be recorded: the simple ones by one statement,
// and the rest, with what that has left, by looking at them first.
func (s *Store) finishJoined(ctx context.Context, calls []*call[*outcome, store.Result]) {
	var all []*outcome
	for _, c := range calls {
		all = append(all, c.items...)
	}
	s.sortOut(all)
	results := make([]store.Result, len(all))
	err := s.finishSimple(ctx, all, results)
	if err == nil {
		err = s.conclude(ctx, all, results)
	}
	if err != nil {
		s.unsealAll(all)
	} else {
		s.endAll(all)
	}
	for _, c := range calls {
		n := len(c.items)
		c.err = err
		if err == nil {
			c.results = results[:n:n]
		}
		results = results[n:]
	}
}

// sortOut says which outcomes are simple: first attempts that succeeded and after which the health is
// what it was. All outcomes of a subscription are recorded in one way, as each goes by the health
// that those before it leave.
func (s *Store) sortOut(all []*outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Unix(0, s.clock.now())
	hard := make(map[string]bool)
	for _, o := range all {
		if o.simple = o.state == store.Delivered && o.lease != nil && !o.lease.Data.hasRow && o.lease.Data.key == ""; o.simple {
			o.before = *o.lease.Sub.Health()
			o.simple = o.before.Next(&o.health, now) == o.before
		}
		if !o.simple {
			hard[o.SubscriptionID] = true
		}
	}
	for _, o := range all {
		o.simple = o.simple && !hard[o.SubscriptionID]
	}
}

// finishSimple records first attempts that succeeded and leave health as it is: nothing but their rows
// is to be written. What it finds otherwise it leaves.
func (s *Store) finishSimple(ctx context.Context, all []*outcome, results []store.Result) error {
	at := make(map[moved]int) // by subscription and event
	var subs, seqs []int64
	var statuses []int16
	var logs, answers [][]byte
	first := make(map[int64]int64)
	fences := make(map[int32]int64)
	for i, o := range all {
		if !o.simple {
			continue
		}
		d := moved{num: o.lease.Sub.Num, seq: o.lease.Seq}
		at[d] = i
		sub, seq := int64(d.num), int64(d.seq)
		subs, seqs, statuses = append(subs, sub), append(seqs, seq), append(statuses, o.status)
		logs, answers = append(logs, o.log), append(answers, appendAnswer(nil, 1, o.answer))
		if f, there := first[sub]; !there || seq < f {
			first[sub] = seq
		}
		fences[o.share] = o.fence
	}
	if len(subs) == 0 {
		return nil
	}
	once, firsts := pairs(first)
	shares, numbers := pairs(fences)
	var recorded []moved
	err := s.write(ctx, finishSettings, func(b *batch) {
		b.Queue(s.sql.LockShared, s.lockOf(s.owner.id))
		b.Queue(s.sql.Finish, subs, seqs, statuses, logs, answers, once, firsts, shares, numbers, s.owner.id).
			Query(func(rows pgx.Rows) error {
				var sub, seq int64
				_, err := pgx.ForEachRow(rows, []any{&sub, &seq}, func() error {
					recorded = append(recorded, moved{num: uint64(sub), seq: uint64(seq)})
					return nil
				})
				return err
			})
	})
	if err != nil {
		return err
	}
	now := s.clock.now()
	s.mu.Lock()
	defer s.unlock()
	for _, d := range recorded {
		i := at[d]
		all[i].placed = true
		results[i] = store.Result{Before: all[i].before, After: all[i].before}
		s.apply(d, now)
		s.countAttempt(int64(d.num), now, &all[i].attempt, true)
	}
	return nil
}

// pairs returns the keys of a map and their values.
func pairs[K comparable, V any](m map[K]V) (keys []K, values []V) {
	for k, v := range m {
		keys, values = append(keys, k), append(values, v)
	}
	return keys, values
}

// plain makes text that PostgreSQL can keep.
func plain(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}
