// Package publish is the one way of the host's events to the store: checked, within the quota of
// their tenants, traced, and told of once their transaction has committed.
package publish

import (
	"context"
	"errors"
	"fmt"

	"github.com/outhook/outhook/dispatcher/internal/check"
	"github.com/outhook/outhook/dispatcher/internal/quota"
	"github.com/outhook/outhook/dispatcher/internal/tracing"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Publisher stores events. It is safe for concurrent use.
type Publisher struct {
	Store  store.Store
	Rules  *check.Rules
	Quotas *quota.Keeper

	// Span begins the span of a call; nil if there is none. Protect calls it, and what it returns,
	// so that a panic is kept to it.
	Span func(
		ctx context.Context, evs []events.Event,
	) (traced context.Context, traceparent string, end func(error))
	Protect func(func())

	// Published is told of events that are stored; nil if nobody is.
	Published func([]events.Event)

	// Wake is told whose events were published.
	Wake func(tenant string)
}

// ownTx is a transaction of the store's own, which has committed when Enqueue returns nil.
type ownTx struct{ store.Store }

// OnCommit implements [store.Tx]. It is called after Enqueue.
func (ownTx) OnCommit(f func()) bool {
	f()
	return true
}

// Publish stores events in a transaction of the store's own.
func (p *Publisher) Publish(ctx context.Context, evs []events.Event) error {
	return p.PublishTx(ctx, ownTx{p.Store}, evs)
}

// PublishTx stores events in a transaction.
func (p *Publisher) PublishTx(ctx context.Context, tx store.Tx, evs []events.Event) error {
	evs, err := p.Rules.Publishable(evs)
	if err != nil {
		return fmt.Errorf("dispatcher: publish: %w", err)
	}
	if len(evs) == 0 {
		return nil
	}
	if err := p.Quotas.CheckPending(ctx, tx, evs); err != nil {
		return err
	}
	stored, err := p.enqueue(ctx, tx, evs)
	if err != nil {
		return fmt.Errorf("dispatcher: publish: %s%w", which(evs, err), err)
	}
	evs = stored
	_, committed := tx.(ownTx)
	p.tell(tx, committed, evs)
	if committed { // others see it when they look
		for i := range evs {
			p.Wake(evs[i].Tenant)
		}
	}
	return nil
}

// which says of several events which one a store has refused as not well-formed; otherwise it is
// empty.
func which(evs []events.Event, err error) string {
	var invalid *events.InvalidError
	if len(evs) < 2 || !errors.As(err, &invalid) {
		return ""
	}
	for i := range evs {
		if evs[i].Validate() != nil {
			return fmt.Sprintf("event %d of %d: ", i+1, len(evs))
		}
	}
	return ""
}

// enqueue stores events, traced, and returns them as they are stored.
func (p *Publisher) enqueue(
	ctx context.Context, tx store.Tx, evs []events.Event,
) ([]events.Event, error) {
	if p.Span == nil {
		return evs, tx.Enqueue(ctx, evs...)
	}
	return tracing.Publish(ctx, evs, p.Protect, p.Span, tx.Enqueue)
}

// tell tells of events when their transaction has committed.
func (p *Publisher) tell(tx store.Tx, committed bool, evs []events.Event) {
	if p.Published == nil {
		return
	}
	if !committed {
		// The caller of PublishTx may use its slice and its payloads again before it commits.
		evs = check.Copies(evs)
	}
	told := func() { p.Published(evs) }
	if !tx.OnCommit(told) {
		told() // otherwise nobody would ever be told
	}
}
