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
			s.outdated(order[i])
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
	positions, order, err := s.group(ctx, len(outcomes), func(i int) string {
		s.hosts.end(outcomes[i].Lease)
		return outcomes[i].SubscriptionID
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
	if s.limited.Load() {
		s.wake() // there may be room for another shard now, which has heard of nothing
	}
	if err != nil {
		return nil, err
	}
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
	positions, order, err := s.group(ctx, len(leases), func(i int) string {
		s.hosts.end(leases[i])
		return leases[i].SubscriptionID
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
	if s.limited.Load() {
		s.wake()
	}
	return err
}

// group returns the positions, of n, that are each shard's, by the subscription of each. One that
// no shard has is nobody's.
func (s *Store) group(
	ctx context.Context, n int, subscription func(int) string,
) (positions map[*shard][]int, order []*shard, err error) {
	positions = make(map[*shard][]int)
	for i := range n {
		sh, _, err := s.locate(ctx, subscription(i), reads)
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
