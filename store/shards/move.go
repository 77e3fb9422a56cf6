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

	moveStep = 500             // events that are copied at a time
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
	select {
	case s.moving <- struct{}{}:
		defer func() { <-s.moving }()
	case <-ctx.Done():
		return fmt.Errorf("shards: move: %w", ctx.Err())
	}
	m, err := s.planMove(ctx, tenant, s.shards[to])
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

// party is one of the stores of a move.
type party struct {
	*shard
	store.TenantMover
	state store.TenantState
}

// party returns a shard as a party of a move, with what it says now.
func (s *Store) party(ctx context.Context, sh *shard, tenant string) (party, error) {
	mover, ok := sh.Store.(store.TenantMover)
	if !ok {
		return party{}, fmt.Errorf("store %d, a %T, can't move tenants; "+
			"Move works between stores that are a store.TenantMover", sh.index, sh.Store)
	}
	s.homes.outdated(sh)
	st, err := s.stateAt(ctx, sh, tenant)
	return party{sh, mover, st}, err
}

// planMove finds where the tenant is, and what was begun with it.
func (s *Store) planMove(ctx context.Context, tenant string, to *shard) (*move, error) {
	at, err := s.picked(tenant)
	if err != nil {
		return nil, err
	}
	m := &move{Store: s, tenant: tenant}
	if m.to, err = s.party(ctx, to, tenant); err != nil {
		return nil, err
	}
	for range len(s.shards) + 1 {
		here, err := s.party(ctx, at, tenant)
		if err != nil {
			return nil, err
		}
		if here.state.Phase == store.TenantSettled {
			m.from = here
			return m, nil
		}
		sh, err := s.peer(at, tenant, here.state)
		if err != nil {
			return nil, err
		}
		there, err := s.party(ctx, sh, tenant)
		if err != nil {
			return nil, err
		}
		if underWay(at, here.state, sh, there.state) != nil {
			return m.resume(ctx, here, there)
		}
		if here.state.Phase == store.TenantLeaving { // it has left
			m.leftover = append(m.leftover, here)
		}
		at = sh
	}
	return nil, errors.New("the stores disagree about where it is; " +
		"they must be those that it was moved between, in the same order")
}

// resume plans to go on with a move that was cut off while the tenant was closed. If it was to
// another store, the tenant is opened again where it was.
func (m *move) resume(ctx context.Context, a, b party) (*move, error) {
	if b.state.Phase == store.TenantLeaving {
		a, b = b, a
	}
	m.from, m.closed = a, true
	if b.shard == m.to.shard {
		return m, nil
	}
	m.closed = false
	return m, m.set(ctx, &m.from, store.TenantState{})
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
	if err := m.removeLeftover(ctx); err != nil || m.from.shard == m.to.shard {
		return err
	}
	// It may be a store that the tenant has just been removed from.
	if m.to, err = m.party(ctx, m.to.shard, m.tenant); err != nil {
		return err
	}
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
	open := m.homes.close(m.tenant)
	defer open()
	limited, cancel := context.WithTimeoutCause(ctx, MoveLimit, errMoveLimit)
	defer cancel()
	err := m.set(limited, &m.from, store.TenantState{Phase: store.TenantLeaving, Peer: m.to.index})
	if err == nil {
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
	m.from.claims.changed("")
	m.wake()
	return nil
}

var errMoveLimit = fmt.Errorf("it was not copied within %v, and stays where it was; "+
	"have less of its history kept, or move it when its store has less to do", MoveLimit)

// copy copies the tenant. What an earlier Move has copied may be outdated, and is removed first.
func (m *move) copy(ctx context.Context) error {
	if err := m.remove(ctx, &m.to); err != nil {
		return err
	}
	for cursor := ""; ; {
		part, err := m.from.ExportTenant(ctx, m.tenant, cursor, moveStep)
		if err != nil {
			return m.from.wrap(err)
		}
		if err := m.to.ImportTenant(ctx, m.tenant, part); err != nil {
			return m.to.wrap(err)
		}
		if cursor = part.Next; cursor == "" {
			return nil
		}
	}
}

// remove removes all that a store has of the tenant.
func (m *move) remove(ctx context.Context, p *party) error {
	for more := true; more; {
		var err error
		if more, err = p.RemoveTenant(ctx, m.tenant); err != nil {
			return p.wrap(err)
		}
	}
	return nil
}

// removeLeftover removes what is left in stores that the tenant has left. They keep saying where it
// is.
func (m *move) removeLeftover(ctx context.Context) error {
	for i := range m.leftover {
		p := &m.leftover[i]
		if err := m.remove(ctx, p); err != nil {
			return err
		}
		gone := store.TenantState{Phase: store.TenantGone, Peer: p.state.Peer}
		if err := m.set(ctx, p, gone); err != nil {
			return err
		}
	}
	m.leftover = nil
	return nil
}

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
