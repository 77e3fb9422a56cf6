package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/batcher"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// errAlone says that a call failed because of others in its transaction, or would hold them up: it
// is to be tried alone.
var errAlone = errors.New("to be tried alone")

// enqueueJoined stores the events of several callers. If together they fail, and not because the
// database can't be reached, each gets an error of its own.
//
// It has no context of a caller's: one that leaves must not take the events of the others with it.
func (p *Publisher) enqueueJoined(calls []*batcher.Call[Event, struct{}]) {
	var all []Event
	for _, c := range calls {
		all = append(all, c.Items...)
	}
	// Two callers with other content for one ID: apart, the first is stored and the second gets its
	// conflict.
	all, conflicting := distinct(all)
	if len(calls) == 1 || conflicting != "" {
		p.enqueueApart(calls)
		return
	}
	err := p.enqueue(context.Background(), all, sqltx.Impatient, false)
	switch {
	case err == nil:
	// Nothing is tried again here, as other callers wait behind this run. Each tries alone, on its
	// own goroutine.
	case mayBeAnothers(err):
		for _, c := range calls {
			c.Err = errAlone
		}
	case errors.Is(err, errUnasked):
		p.enqueueAsked(calls)
	case errors.Is(err, store.ErrMoved):
		p.enqueueSettled(calls)
	// The server, or the statement, has refused one of them and stored nothing. Who is at fault
	// shows when each goes for itself.
	case sqltx.State(err) != "" || errors.Is(err, store.ErrConflict):
		p.enqueueApart(calls)
	default: // it may have committed: trying again would only take longer
		for _, c := range calls {
			c.Err = err
		}
	}
}

// enqueueSettled stores the events of callers of which some are of closed tenants. These get their
// error, and the others go together again: those who publish for a tenant that is being moved come
// again and again, and would have everybody else go apart for as long.
func (p *Publisher) enqueueSettled(calls []*batcher.Call[Event, struct{}]) {
	closed := make(map[string]bool)
	var tenant string
	var ignored int64
	read := sqltx.Each([]any{&tenant, &ignored, &ignored}, func() { closed[tenant] = true })
	err := p.DB.Rows(context.Background(), read, p.SQL.TenantStates)
	var others []*batcher.Call[Event, struct{}]
	for _, c := range calls {
		if slices.ContainsFunc(c.Items, func(e Event) bool { return closed[e.Tenant] }) {
			c.Err = store.ErrMoved
		} else {
			others = append(others, c)
		}
	}
	switch {
	case err != nil || len(others) == len(calls): // they have been settled meanwhile
		p.enqueueApart(calls)
	case len(others) > 0:
		p.enqueueJoined(others)
	}
}

// enqueueAsked stores the events of those callers together that have asked all filters. The others
// come again when they have.
func (p *Publisher) enqueueAsked(calls []*batcher.Call[Event, struct{}]) {
	var asked []*batcher.Call[Event, struct{}]
	for _, c := range calls {
		if p.filters.asked(c.Items) {
			asked = append(asked, c)
		} else {
			c.Err = errUnasked
		}
	}
	switch {
	case len(asked) == len(calls): // the filters are gone since
		p.enqueueApart(calls)
	case len(asked) > 0:
		p.enqueueJoined(asked)
	}
}

// enqueueApart stores the events of callers in a transaction each, but for those that would make
// the others wait. One after the other: that keeps the connections for others, and is seldom.
func (p *Publisher) enqueueApart(calls []*batcher.Call[Event, struct{}]) {
	for _, c := range calls {
		c.Err = p.enqueue(context.Background(), c.Items, sqltx.Impatient, false)
		if sqltx.State(c.Err) == sqltx.LockNotAvailable {
			c.Err = errAlone
		}
	}
}

// mayBeAnothers reports whether an error may be another caller's fault: the transaction was too
// slow, or waited for a lock.
func mayBeAnothers(err error) bool {
	switch sqltx.State(err) {
	case sqltx.LockNotAvailable, sqltx.QueryCanceled:
		return true
	}
	return errors.Is(err, sqltx.ErrSlow)
}

// enqueueAlone stores events in a transaction that no other call shares and that no other waits
// for. Its lock_timeout is 10 s. Few go on at once, so that callers behind one open host
// transaction do not take up the whole pool.
func (p *Publisher) enqueueAlone(ctx context.Context, evs []Event) (err error) {
	timer := time.NewTimer(batcher.MaxWait)
	defer timer.Stop()
	select {
	case p.alone <- struct{}{}:
		defer func() { <-p.alone }()
	case <-ctx.Done():
		return ctx.Err()
	// The batcher no longer counts this call, so Close does not wait for it.
	case <-p.Cut.Done():
		return store.ErrClosed
	case <-timer.C:
		return batcher.ErrQueue
	}
	err = p.enqueue(ctx, evs, sqltx.ByIndex, true)
	if sqltx.State(err) == sqltx.LockNotAvailable {
		return fmt.Errorf(
			"an open transaction has an event of the same ID; try again when it has ended: %w", err)
	}
	return err
}
