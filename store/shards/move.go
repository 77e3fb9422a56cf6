package shards

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

const (
	// MoveLimit is how long a Move keeps a tenant closed at most. If it has not copied everything
	// by then, it gives up, and the tenant stays where it was.
	MoveLimit = time.Minute

	// drainLimit is how long a Move waits for the attempts under way, which it does before it
	// closes the tenant.
	drainLimit = 2 * time.Minute

	undoTime = 5 * time.Second // for giving up
)

// Move moves a tenant to another of the stores, counted from 0, while the host runs: its
// subscriptions with their health, its pending deliveries in their order, each due when it was, and
// its history. Counts of attempts (store.AttemptStats) begin anew. Both stores must be
// [store.TenantMover]s, as memstore, boltstore and pgstore are.
//
// First nothing more of the tenant is claimed, and Move waits for the attempts under way, while
// publishers go on. Then the tenant is closed, for as long as it takes to copy it, [MoveLimit] at
// most: calls that would change something of it wait for up to 2 s and then return a [MovingError];
// Deliveries and the like go on. Then the tenant is open in the other store, and what is left in
// the first is removed.
//
// Nothing is lost, and nothing is sent twice for the move. After an error the tenant is where it
// was, unless the error says that it has moved, or a store is in trouble. Whatever happened,
// calling Move again with the same arguments ends what was begun, also after the host crashed in
// the middle; until then calls of the tenant may return a MovingError. One Move runs at a time. If
// the tenant is there already, there is nothing to do.
//
// pick must go on saying what it has said until Move has returned nil; it need not change then, as
// the stores know. Other processes that use the same stores learn of the move by themselves.
func (s *Store) Move(ctx context.Context, tenant string, to int) error {
	if err := s.begin(ctx); err != nil {
		return fmt.Errorf("shards: move: %w", err)
	}
	if to < 0 || to >= len(s.shards) {
		return fmt.Errorf("shards: move: %w", &events.InvalidError{Field: "to",
			Reason: fmt.Sprintf("is %d; give the number of a store, 0 to %d", to, len(s.shards)-1)})
	}
	// One at a time: two of the same tenant would undo each other's steps, and two of different ones
	// would have both stores do more than their share at once.
	select {
	case s.moving <- struct{}{}:
		defer func() { <-s.moving }()
	case <-ctx.Done():
		return fmt.Errorf("shards: move: %w", ctx.Err())
	}
	m := &move{Store: s, tenant: tenant}
	err := m.plan(ctx, s.shards[to])
	if err == nil {
		err = m.run(ctx)
	}
	if err != nil {
		return fmt.Errorf("shards: move tenant %q to store %d: %w", tenant, to, err)
	}
	return nil
}

// move is a Move under way.
type move struct {
	*Store
	tenant   string
	from, to party
	closed   bool    // the tenant is leaving: an earlier Move was cut off
	leftover []party // that an earlier Move has left something in
}

// set sets the state of the tenant in a store.
func (m *move) set(ctx context.Context, p *party, st store.TenantState) error {
	if err := p.SetTenantState(ctx, m.tenant, st); err != nil {
		m.homes.outdated(p.shard)
		return p.wrap(err)
	}
	p.state = st
	m.homes.set(p.shard, m.tenant, st)
	p.stir()
	return nil
}

func (m *move) run(ctx context.Context) (err error) {
	// First, as the tenant may go back to where an earlier Move has left something of it.
	if err := m.removeLeftover(ctx); err != nil || m.from.shard == m.to.shard {
		return err
	}
	// It may be a store that the tenant has just been removed from.
	if m.to, err = m.party(ctx, m.to.shard); err != nil {
		return err
	}
	// From here on, what was done must be undone or ended: the stores have it on disk.
	if err := m.prepare(ctx); err != nil {
		return err
	}
	if !m.closed {
		if err := m.drain(ctx); err != nil {
			return errors.Join(err, m.undo(ctx))
		}
	}
	if err := m.transfer(ctx); err != nil {
		return err
	}
	m.leftover = []party{m.from}
	if err := m.removeLeftover(ctx); err != nil {
		return fmt.Errorf("it has moved, but is not removed from where it was; "+
			"move it again: %w", err)
	}
	return nil
}

// prepare readies the store that the tenant goes to: from now on it says where the tenant comes
// from. That comes before the tenant leaves, so that a tenant that is leaving the one and settled
// in the other has always been copied.
func (m *move) prepare(ctx context.Context) error {
	if m.to.state.Phase == store.TenantSettled {
		found, err := m.to.Subscriptions(ctx, store.SubscriptionQuery{Tenant: m.tenant, Limit: 1})
		if err != nil {
			return m.to.wrap(err)
		}
		if len(found.Items) > 0 {
			return errors.New("that store has subscriptions of the tenant too; delete those of one")
		}
	}
	arriving := store.TenantState{Phase: store.TenantArriving, Peer: m.from.index}
	if m.to.state == arriving {
		return nil
	}
	return m.set(ctx, &m.to, arriving)
}

// transfer closes the tenant, copies it, and opens it in the other store.
func (m *move) transfer(ctx context.Context) error {
	// Callers of this process wait here, and need not try again. Before the state is set, or the
	// first of them would find the tenant closed.
	open := m.homes.close(m.tenant)
	defer open()
	limited, cancel := context.WithTimeoutCause(ctx, MoveLimit, errMoveLimit)
	defer cancel()
	err := m.set(limited, &m.from, store.TenantState{Phase: store.TenantLeaving, Peer: m.to.index})
	if err == nil { // what was claimed while it was drained, or after an earlier Move was cut off
		err = m.awaitLeases(limited, func() {})
	}
	if err == nil {
		err = m.copy(limited)
	}
	if err != nil {
		if limited.Err() != nil {
			err = context.Cause(limited)
		}
		return errors.Join(err, m.undo(ctx))
	}
	// With this the tenant has moved. If it fails nobody knows whether it has, so the tenant must
	// not be opened where it was.
	if err := m.set(ctx, &m.to, store.TenantState{}); err != nil {
		return fmt.Errorf("it is copied, but could not be opened; move it again: %w", err)
	}
	m.where.clear()
	// A slow store may have claims on their way that it made before the tenant was closed.
	m.claims.Changed(m.from.index, "")
	m.wake()
	return nil
}

var errMoveLimit = fmt.Errorf("it was not copied within %v, and stays where it was; "+
	"have less of its history kept, or move it when its store has less to do", MoveLimit)

// undo opens the tenant again where it was, and removes what was copied. Only the first must
// succeed, also if ctx has ended.
func (m *move) undo(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTime)
	defer cancel()
	if err := m.set(ctx, &m.from, store.TenantState{}); err != nil {
		return fmt.Errorf("and it could not be opened again where it was; move it again: %w", err)
	}
	m.pause(ctx, 0)
	if m.remove(ctx, &m.to) == nil {
		// It has to say where the tenant is if pick says that it is here, and may as well
		// otherwise.
		_ = m.set(ctx, &m.to, store.TenantState{Phase: store.TenantGone, Peer: m.from.index})
	}
	m.wake()
	return nil
}
