package shards

import (
	"context"
	"errors"
	"fmt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/calls"
)

// Claim implements [store.Queue]. The package comment says how the shards share a request.
func (s *Store) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	err := req.Validate()
	if err == nil {
		err = s.begin(ctx)
	}
	if err == nil && len(s.shards) == 1 {
		return s.shards[0].Claim(ctx, req)
	}
	var result store.ClaimResult
	if err == nil {
		result, err = s.claims.Claim(ctx, req)
	}
	if err != nil {
		return store.ClaimResult{}, fmt.Errorf("shards: claim: %w", err)
	}
	return result, nil
}

// Enqueue implements [store.Queue]. Events of tenants in several stores are stored by each store as
// a whole: see the package comment.
func (s *Store) Enqueue(ctx context.Context, evs ...events.Event) error {
	if err := s.begin(ctx); err != nil {
		return fmt.Errorf("shards: enqueue: %w", err)
	}
	if len(s.shards) == 1 {
		return s.shards[0].Enqueue(ctx, evs...)
	}
	byTenant := make(map[string][]events.Event)
	for i := range evs { // in their order, which is that of delivery
		byTenant[evs[i].Tenant] = append(byTenant[evs[i].Tenant], evs[i])
	}
	// One that is not valid must keep all from being stored. A single shard sees to that itself.
	if len(byTenant) > 1 {
		for i := range evs {
			if _, err := evs[i].Body(); err != nil {
				return fmt.Errorf("shards: enqueue: %w", err)
			}
		}
	}
	// A tenant that has moved meanwhile is looked for again, and all events with it: those that are
	// stored already stay as they are.
	for range maxHops {
		err := s.enqueue(ctx, evs, byTenant)
		if !errors.Is(err, store.ErrMoved) || errors.As(err, new(*MovingError)) {
			return err
		}
	}
	return fmt.Errorf("shards: enqueue: %w", store.ErrMoved)
}

// enqueue stores each event in the shard that has its tenant. What is stored already is no harm.
// The shards commit at the same time, so it takes as long as the slowest of them.
func (s *Store) enqueue(
	ctx context.Context, evs []events.Event, byTenant map[string][]events.Event,
) error {
	homes := make(map[string]*shard, len(byTenant))
	for tenant := range byTenant {
		home, err := s.homes.home(ctx, tenant, writes)
		if err != nil {
			return err
		}
		homes[tenant] = home
	}
	// All homes are known before the first event is stored, so a tenant of a store that is in
	// trouble, or is being moved, keeps the others of the call from being stored without it.
	parts := make(map[*shard][]events.Event)
	var order []*shard
	for i := range evs {
		home := homes[evs[i].Tenant]
		if parts[home] == nil {
			order = append(order, home)
		}
		parts[home] = append(parts[home], evs[i])
	}
	// All are tried, also when one fails: what can be stored is, and the caller tries again with all.
	answers, err := calls.Each(ctx, s.calls, order,
		func(ctx context.Context, sh *shard) (struct{}, error) {
			return struct{}{}, sh.Enqueue(ctx, parts[sh]...)
		})
	for i, a := range answers {
		if errors.Is(a.Err, store.ErrMoved) { // another process has moved it
			s.homes.outdated(order[i])
		}
		if err == nil {
			err = order[i].wrap(a.Err)
		}
	}
	return err
}

// Finish implements [store.Queue]. Outcomes that their shard does not take are kept and recorded
// when it does; the Result is Ignored then.
func (s *Store) Finish(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
	if err := store.ValidateOutcomes(outcomes); err != nil {
		return nil, fmt.Errorf("shards: finish: %w", err)
	}
	if err := s.begin(ctx); err != nil {
		return nil, fmt.Errorf("shards: finish: %w", err)
	}
	if len(s.shards) == 1 || len(outcomes) == 0 {
		return s.shards[0].Finish(ctx, outcomes...)
	}
	results := make([]store.Result, len(outcomes))
	for i := range results { // unless its shard has recorded it
		results[i].Ignored = true
	}
	// The results come in the order of the outcomes, whatever shards they are of.
	positions, order, err := group(len(outcomes), func(i int) (*shard, error) {
		return s.ofLease(ctx, outcomes[i].Lease)
	})
	if err != nil {
		return nil, err
	}
	answers, err := calls.Each(ctx, s.calls, order,
		func(ctx context.Context, sh *shard) ([]store.Result, error) {
			own := make([]store.Outcome, len(positions[sh]))
			for i, at := range positions[sh] {
				own[i] = outcomes[at]
			}
			return sh.recorder.Finish(ctx, own)
		})
	for i, a := range answers {
		for j := range a.Out {
			results[positions[order[i]][j]] = a.Out[j]
		}
		if err == nil {
			err = a.Err
		}
	}
	// After an error their caller has them still, and calls again: the leases go on counting.
	if err != nil {
		return nil, err
	}
	leases := make([]store.Lease, len(outcomes))
	for i := range outcomes {
		leases[i] = outcomes[i].Lease
	}
	s.claims.Ended(leases)
	return results, nil
}

// Release implements [store.Queue]. Leases that their shard does not take are kept, and given back
// when it does.
func (s *Store) Release(ctx context.Context, leases ...store.Lease) error {
	if err := s.begin(ctx); err != nil {
		return fmt.Errorf("shards: release: %w", err)
	}
	if len(s.shards) == 1 || len(leases) == 0 {
		return s.shards[0].Release(ctx, leases...)
	}
	positions, order, err := group(len(leases), func(i int) (*shard, error) {
		return s.ofLease(ctx, leases[i])
	})
	if err != nil {
		return err
	}
	_, err = calls.Each(ctx, s.calls, order, func(ctx context.Context, sh *shard) (struct{}, error) {
		own := make([]store.Lease, len(positions[sh]))
		for i, at := range positions[sh] {
			own[i] = leases[at]
		}
		return struct{}{}, sh.recorder.Release(ctx, own)
	})
	if err != nil {
		return err
	}
	s.claims.Ended(leases)
	return nil
}

// ofLease returns the shard of a lease. Of one that has run out the shard may not be known, and
// another that is in trouble may keep it from being found. It is then nobody's, as its delivery is
// attempted again anyway, and so the trouble is not that of those that came with it.
func (s *Store) ofLease(ctx context.Context, l store.Lease) (*shard, error) {
	if i, ok := s.claims.StoreOf(l); ok {
		return s.shards[i], nil
	}
	// It was claimed before this process began, or took longer than its lease. Its shard may still
	// take the outcome: a success counts, if the delivery has not ended otherwise.
	sh, _, err := s.locate(ctx, l.SubscriptionID, reads)
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrClosed) {
		return nil, store.ErrNotFound
	}
	return sh, err
}

// group returns the positions, of n, that are each shard's, and the shards in the order in which
// they come first, so that a call does the same each time. One for which shardOf returns
// [store.ErrNotFound] is nobody's.
func group(
	n int, shardOf func(int) (*shard, error),
) (positions map[*shard][]int, order []*shard, err error) {
	positions = make(map[*shard][]int)
	for i := range n {
		sh, err := shardOf(i)
		switch {
		case errors.Is(err, store.ErrNotFound): // one that is gone must not fail the others
			continue
		case err != nil:
			return nil, nil, err
		}
		if positions[sh] == nil {
			order = append(order, sh)
		}
		positions[sh] = append(positions[sh], i)
	}
	return positions, order, nil
}
