package pgstore

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// errAlone says that a call failed for its company, or would hold up others: it is to be tried alone.
var errAlone = errors.New("pgstore: to be tried alone")

// tries is how often a transaction is tried that another one got in the way of.
const tries = 5

// joinedSettings are those of a transaction that callers share: it waits for nobody's lock for long. A
// host's open transaction may have stored one of the IDs, and then holds up every other caller too.
const joinedSettings = enqueueSettings + `, set_config('lock_timeout', '1s', true)`

// enqueueJoined stores what several callers want to be stored. When together they fail other than by
// trouble of the database, each gets its own error.
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
	err := s.enqueue(ctx, all)
	var wide *tooWide
	switch {
	case err == nil:
	case errors.As(err, &wide):
		for _, group := range wide.groups(calls) {
			if len(group) == len(calls) {
				s.enqueueApart(ctx, group)
			} else {
				s.enqueueJoined(ctx, group)
			}
		}
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

// enqueueApart stores what callers want to be stored in a transaction each, but for those that would
// make the others wait.
func (s *Store) enqueueApart(ctx context.Context, calls []*call[newEvent, struct{}]) {
	for _, c := range calls {
		c.err = s.enqueue(ctx, c.items)
		if wide := (*tooWide)(nil); errors.As(c.err, &wide) || state(c.err) == lockNotAvailable {
			c.err = errAlone
		}
	}
}

// byCompany reports whether an error may be another caller's fault: the transaction was too slow, or
// waited for a lock.
func byCompany(err error) bool {
	switch state(err) {
	case lockNotAvailable, queryCanceled:
		return true
	}
	return errors.Is(err, errSlow)
}

// groups deals the calls to transactions that are not too wide, in their order.
func (e *tooWide) groups(calls []*call[newEvent, struct{}]) (groups [][]*call[newEvent, struct{}]) {
	from, sum := 0, 0
	for i, c := range calls {
		cost := e.cost(c.items)
		if i > from && sum+cost > sliceDeliveries {
			groups = append(groups, calls[from:i:i])
			from, sum = i, 0
		}
		sum += cost
	}
	return append(groups, calls[from:])
}

// distinct drops events that are the same as one before. It is false when one has the ID of another.
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

// enqueue stores events in a transaction of its own, unless they are too wide.
func (s *Store) enqueue(ctx context.Context, evs []newEvent) (err error) {
	for range tries {
		var result error
		err = s.write(ctx, joinedSettings, func(b *batch) { s.queueEnqueue(b, evs, sliceDeliveries, &result) })
		if err == nil {
			err = result
		}
		if err == nil {
			s.waker.wake()
			return nil
		}
		if !transient(err) {
			return told("event", err)
		}
	}
	return err
}

// queueEnqueue adds the statement that stores events, if they have no more deliveries than most.
func (s *Store) queueEnqueue(b *batch, evs []newEvent, most int, result *error) {
	b.Queue(s.sql.enqueue, append(enqueueArgs(evs), most, s.table("events"))...).QueryRow(func(row pgx.Row) error {
		*result = enqueued(row, evs)
		return nil
	})
}
