package pgstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
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
	if s.ending.begin(outcomes) {
		s.waker.wakeHere()
	}
	defer s.ending.end(outcomes)
	size := 0
	for i := range outcomes {
		size += store.MaxResponse + len(outcomes[i].BodyOverride)
	}
	return s.finishes.do(ctx, outcomes, size)
}

// delivery names one without its token.
type delivery struct{ subscriptionID, eventID string }

func of(l *store.Lease) delivery { return delivery{l.SubscriptionID, l.EventID} }

// finishJoined records what several callers have to be recorded. A statement takes each delivery once, so calls that name one
// again go into the next.
func (s *Store) finishJoined(ctx context.Context, calls []*call[store.Outcome, store.Result]) {
	for len(calls) > 0 {
		var round, rest []*call[store.Outcome, store.Result]
		var outcomes []store.Outcome
		seen := make(map[delivery]bool)
		for _, c := range calls {
			if !fresh(seen, c.items) {
				rest = append(rest, c)
				continue
			}
			round, outcomes = append(round, c), append(outcomes, c.items...)
		}
		if len(round) == 0 { // the first names one twice itself
			calls[0].results, calls[0].err = s.finishApart(ctx, calls[0].items)
			calls = calls[1:]
			continue
		}
		results, err := s.finishOnce(ctx, outcomes)
		for _, c := range round {
			c.err = err
			if err == nil {
				c.results, results = results[:len(c.items):len(c.items)], results[len(c.items):]
			}
		}
		calls = rest
	}
}

// fresh reports whether none of the outcomes' deliveries was seen, nor comes twice, and then notes them.
func fresh(seen map[delivery]bool, outcomes []store.Outcome) bool {
	mine := make(map[delivery]bool, len(outcomes))
	for i := range outcomes {
		d := of(&outcomes[i].Lease)
		if seen[d] || mine[d] {
			return false
		}
		mine[d] = true
	}
	for d := range mine {
		seen[d] = true
	}
	return true
}

// finishApart records outcomes that name a delivery twice, each in a transaction of its own.
func (s *Store) finishApart(ctx context.Context, outcomes []store.Outcome) ([]store.Result, error) {
	var all []store.Result
	for i := range outcomes {
		results, err := s.finishOnce(ctx, outcomes[i:i+1])
		if err != nil {
			return nil, err
		}
		all = append(all, results...)
	}
	return all, nil
}

// finishOnce records outcomes of different deliveries in one transaction. What may touch deliveries that a claim could be
// about to lease, because their token is not the present one or others wait behind their key, takes the clerk's lock.
func (s *Store) finishOnce(ctx context.Context, outcomes []store.Outcome) (results []store.Result, err error) {
	args, tokens, subs := finishArgs(outcomes)
	clerk := false
	for _, t := range tokens {
		clerk = clerk || keyed(t)
	}
	for range tries {
		var again bool
		var counts []counted
		results = make([]store.Result, len(outcomes))
		for i := range results {
			results[i].Ignored = true
		}
		err = s.write(ctx, finishSettings, func(b *batch) {
			if clerk {
				b.Queue(s.sql.clerk)
			}
			b.Queue(s.sql.finishLock, tokens)
			b.Queue(s.sql.healthLock, subs)
			b.Queue(s.sql.finish, append(args, clerk, micros(store.MaxFailureGap), store.MaxSlowStart, bucketSeconds)...).Query(func(rows pgx.Rows) (err error) {
				again, counts, err = readResults(rows, results)
				return err
			})
		})
		switch {
		case err == nil && !again:
			s.countAttempts(outcomes, counts)
			s.waker.wakeHere()
			return results, nil
		case err == nil:
			clerk = true
		case !transient(err):
			return nil, err
		}
	}
	if err == nil {
		err = fmt.Errorf("other outcomes of the same deliveries kept getting in the way")
	}
	return nil, err
}

// finishArgs are the arguments of the finish statement but its last four, and the tokens and subscriptions apart.
func finishArgs(outcomes []store.Outcome) (args []any, tokens []int64, subs []string) {
	n := len(outcomes)
	subs, ids, states := make([]string, n), make([]string, n), make([]string, n)
	wrongs, lines, bodies, bodyStates := make([]string, n), make([]string, n), make([][]byte, n), make([]int16, n)
	tokens = make([]int64, n)
	retries, holds, statuses := make([]int64, n), make([]int64, n), make([]int32, n)
	for i := range outcomes {
		o := &outcomes[i]
		subs[i], ids[i], tokens[i], states[i] = plain(o.SubscriptionID), plain(o.EventID), int64(o.Token), string(o.State)
		wrongs[i] = plain(o.Attempt.Error)
		switch o.State { // what does not count for a state was not validated
		case store.Pending:
			retries[i] = micros(o.RetryIn)
			fallthrough
		case store.Dead:
			// The statement knows no ProbePolicy yet: the limit of BreakerThreshold is all that an
			// open breaker does here.
			holds[i] = 0
			fallthrough
		case store.Delivered:
			statuses[i], lines[i] = int32of(o.Attempt.Status), attemptLine(&o.Attempt)
		}
		if o.State == store.Pending || o.State == store.Dead {
			bodies[i], bodyStates[i] = override(o.BodyState, o.BodyOverride), int16(o.BodyState)
		}
	}
	args = []any{subs, ids, tokens, states, retries, holds, statuses, wrongs, lines, bodies, bodyStates}
	return args, tokens, subs
}

// override is what is stored of a body override: NULL unless there is one, which may be empty.
func override(state store.BodyState, body []byte) []byte {
	switch {
	case state != store.BodyOverridden:
		return nil
	case body == nil:
		return []byte{}
	}
	return body
}

// plain makes text that PostgreSQL can keep.
func plain(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}

// counted is an outcome that counted: its position in the call, from 1, and the bucket of counts that it
// was recorded in.
type counted struct {
	ord int64
	rollup.Key
}

// readResults reads what the finish statement says of the outcomes that counted.
func readResults(rows pgx.Rows, results []store.Result) (again bool, counts []counted, err error) {
	var (
		ord, previous, sub *int64
		bucket             int64
		after, before      nullHealth
		previously         = make(map[int64]int64)
	)
	columns := append([]any{&again, &ord}, after.columns()...)
	columns = append(append(columns, &previous), before.columns()...)
	_, err = pgx.ForEachRow(rows, append(columns, &sub, &bucket), func() error {
		if ord == nil {
			return nil
		}
		if previous != nil {
			previously[*ord] = *previous
		}
		results[*ord-1] = store.Result{Before: before.record(), After: after.record()}
		counts = append(counts, counted{*ord, rollup.Key{Sub: uint64(*sub), At: bucket}})
		return nil
	})
	for ord, previous := range previously {
		results[ord-1].Before = results[previous-1].After
	}
	return again, counts, err
}
