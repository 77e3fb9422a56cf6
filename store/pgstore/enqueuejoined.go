package pgstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// errAlone says that a call failed for its company, or would hold up others: it is to be tried
// alone.
var errAlone = errors.New("pgstore: to be tried alone")

// tries is how often a transaction is tried that another one got in the way of.
const tries = 5

// joinedSettings are those of a transaction that callers share: it waits for nobody's lock for
// long. A host's open transaction may have stored one of the IDs, and then holds up every other
// caller too.
const joinedSettings = enqueueSettings + `, set_config('lock_timeout', '1s', true)`

// enqueueJoined stores what several callers want to be stored. When together they fail other than
// by trouble of the database, each gets its own error.
func (s *Store) enqueueJoined(ctx context.Context, calls []*call[newEvent, struct{}]) {
	var all []newEvent
	for _, c := range calls {
		all = append(all, c.items...)
	}
	all, ok := distinct(all)
	if len(calls) == 1 || !ok {
		s.enqueueApart(ctx, calls)
		return
	}
	err := s.enqueue(ctx, all, joinedSettings)
	switch {
	case err == nil:
	case byCompany(err):
		for _, c := range calls {
			c.err = errAlone
		}
	case state(err) != "" || errors.Is(err, store.ErrConflict):
		s.enqueueApart(ctx, calls)
	default:
		for _, c := range calls {
			c.err = err
		}
	}
}

// enqueueApart stores what callers want to be stored in a transaction each, but for those that
// would make the others wait.
func (s *Store) enqueueApart(ctx context.Context, calls []*call[newEvent, struct{}]) {
	for _, c := range calls {
		c.err = s.enqueue(ctx, c.items, joinedSettings)
		if state(c.err) == lockNotAvailable {
			c.err = errAlone
		}
	}
}

// byCompany reports whether an error may be another caller's fault: the transaction was too slow,
// or waited for a lock.
func byCompany(err error) bool {
	switch state(err) {
	case lockNotAvailable, queryCanceled:
		return true
	}
	return errors.Is(err, errSlow)
}

// distinct drops events that are the same as one before. It is false when one has the ID of
// another.
func distinct(evs []newEvent) (out []newEvent, ok bool) {
	seen := make(map[string]int, len(evs))
	for i := range evs {
		if j, twice := seen[evs[i].ID]; twice {
			if !out[j].same(&evs[i]) {
				return nil, false
			}
			continue
		}
		seen[evs[i].ID] = len(out)
		out = append(out, evs[i])
	}
	return out, true
}

// aloneAtOnce is how many transactions that nobody shares go on at once.
const aloneAtOnce = 2

// enqueueAlone stores events in a transaction that no other call shares and that no other waits
// for.
func (s *Store) enqueueAlone(ctx context.Context, evs []newEvent) (err error) {
	timer := time.NewTimer(queueTimeout)
	defer timer.Stop()
	select {
	case s.alone <- struct{}{}:
		defer func() { <-s.alone }()
	case <-ctx.Done():
		return ctx.Err()
	case <-s.cut.Done():
		return store.ErrClosed
	case <-timer.C:
		return errQueue
	}
	err = s.enqueue(ctx, evs, enqueueSettings)
	if state(err) == lockNotAvailable {
		return fmt.Errorf("an open transaction has an event of the same ID; try again when it has ended: %w", err)
	}
	return err
}
