package shards

import (
	"context"
	"errors"
	"fmt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

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
	for i := range evs {
		byTenant[evs[i].Tenant] = append(byTenant[evs[i].Tenant], evs[i])
	}
	if len(byTenant) > 1 { // one that is not valid must keep all from being stored
		for i := range evs {
			if _, err := evs[i].Body(); err != nil {
				return fmt.Errorf("shards: enqueue: %w", err)
			}
		}
	}
	for range maxHops {
		err := s.enqueue(ctx, evs, byTenant)
		if !errors.Is(err, store.ErrMoved) || errors.As(err, new(*MovingError)) {
			return err
		}
	}
	return fmt.Errorf("shards: enqueue: %w", store.ErrMoved)
}

// enqueue stores each event in the shard that has its tenant. What is stored already is no harm.
func (s *Store) enqueue(
	ctx context.Context, evs []events.Event, byTenant map[string][]events.Event,
) error {
	homes := make(map[string]*shard, len(byTenant))
	for tenant := range byTenant {
		home, err := s.home(ctx, tenant, writes)
		if err != nil {
			return err
		}
		homes[tenant] = home
	}
	parts := make(map[*shard][]events.Event)
	var order []*shard
	for i := range evs {
		home := homes[evs[i].Tenant]
		if parts[home] == nil {
			order = append(order, home)
		}
		parts[home] = append(parts[home], evs[i])
	}
	answers, err := each(ctx, s, order, func(ctx context.Context, sh *shard) (struct{}, error) {
		return struct{}{}, sh.Enqueue(ctx, parts[sh]...)
	})
	for i, a := range answers {
		if errors.Is(a.err, store.ErrMoved) {
			s.homes.outdated(order[i])
		}
		if err == nil {
			err = order[i].wrap(a.err)
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
	for i := range results {
		results[i].Ignored = true
	}
	positions, order, err := group(len(outcomes), func(i int) (*shard, error) {
		return s.ofLease(ctx, outcomes[i].Lease)
	})
	if err != nil {
		return nil, err
	}
	answers, err := each(ctx, s, order,
		func(ctx context.Context, sh *shard) ([]store.Result, error) {
			own := make([]store.Outcome, len(positions[sh]))
			for i, at := range positions[sh] {
				own[i] = outcomes[at]
			}
			return s.finish(ctx, sh, own)
		})
	for i, a := range answers {
		for j := range a.out {
			results[positions[order[i]][j]] = a.out[j]
		}
		if err == nil {
			err = a.err
		}
	}
	if err != nil {
		return nil, err
	}
	for i := range outcomes {
		s.leases.end(outcomes[i].Lease)
	}
	s.wakeIfLimited()
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
	_, err = each(ctx, s, order, func(ctx context.Context, sh *shard) (struct{}, error) {
		own := make([]store.Lease, len(positions[sh]))
		for i, at := range positions[sh] {
			own[i] = leases[at]
		}
		return struct{}{}, s.release(ctx, sh, own)
	})
	if err != nil {
		return err
	}
	for _, l := range leases {
		s.leases.end(l)
	}
	s.wakeIfLimited()
	return nil
}

// wakeIfLimited says that there may be room now for another shard, which has heard of nothing.
func (s *Store) wakeIfLimited() {
	if s.limited.Load() {
		s.wake()
	}
}

// ofLease returns the shard of a lease. Of one that has run out the shard may not be known, and
// another that is in trouble may keep it from being found. It is then nobody's, as its delivery is
// attempted again anyway, and so the trouble is not that of those that came with it.
func (s *Store) ofLease(ctx context.Context, l store.Lease) (*shard, error) {
	if sh := s.leases.shard(l); sh != nil {
		return sh, nil
	}
	sh, _, err := s.locate(ctx, l.SubscriptionID, reads)
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrClosed) {
		return nil, store.ErrNotFound
	}
	return sh, err
}

// group returns the positions, of n, that are each shard's. One for which shardOf returns
// [store.ErrNotFound] is nobody's.
func group(
	n int, shardOf func(int) (*shard, error),
) (positions map[*shard][]int, order []*shard, err error) {
	positions = make(map[*shard][]int)
	for i := range n {
		sh, err := shardOf(i)
		switch {
		case errors.Is(err, store.ErrNotFound):
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
