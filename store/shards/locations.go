package shards

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/outhook/outhook/store"
)

// generation is how many subscriptions one generation of locations has. With two of them, the IDs
// of 65,536 subscriptions take about 8 MiB.
const generation = 32768

// locations remembers which shard has a subscription. What is used moves to the recent generation;
// when that is full, it becomes the previous one, and what was in that is forgotten. It may be
// wrong, as another process may delete or move what it remembers: anybody who finds nothing there
// looks the subscription up again.
type locations struct {
	mu               sync.Mutex // guards all below
	recent, previous map[string]*shard
}

func (l *locations) find(id string) *shard {
	l.mu.Lock()
	defer l.mu.Unlock()
	if sh := l.recent[id]; sh != nil {
		return sh
	}
	sh := l.previous[id]
	if sh != nil {
		l.put(id, sh)
	}
	return sh
}

func (l *locations) remember(id string, sh *shard) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.recent[id] != sh {
		l.put(id, sh)
	}
}

// put adds to the recent generation. mu is held.
func (l *locations) put(id string, sh *shard) {
	if len(l.recent) >= generation {
		l.previous, l.recent = l.recent, nil
	}
	if l.recent == nil {
		l.recent = make(map[string]*shard)
	}
	l.recent[id] = sh
}

func (l *locations) forget(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.recent, id)
	delete(l.previous, id)
}

// clear forgets all: tenants have moved.
func (l *locations) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recent, l.previous = nil, nil
}

// locate returns the shard that has a subscription. It asks all of them if it does not remember,
// and returns what the first says that has it: so one that is in trouble matters only if no other
// has it.
func (s *Store) locate(
	ctx context.Context, id string, a access,
) (sh *shard, remembered bool, err error) {
	if len(s.shards) == 1 {
		return s.shards[0], false, nil
	}
	if sh := s.where.find(id); sh != nil {
		return sh, true, nil
	}
	type found struct {
		sh     *shard
		tenant string
		err    error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // of those that are asked when one has it
	answers := make(chan found, len(s.shards))
	for _, sh := range s.shards {
		ok := s.start(func() {
			sub, err := guard(func() (store.Subscription, error) {
				return sh.Subscription(ctx, id)
			})
			answers <- found{sh, sub.Tenant, err}
		})
		if !ok {
			return nil, false, store.ErrClosed
		}
	}
	err = fmt.Errorf("shards: subscription %s: %w", id, store.ErrNotFound)
	for range s.shards {
		select {
		case f := <-answers:
			switch {
			case f.err == nil:
				if sh, err = s.rightful(ctx, f.sh, f.tenant, a); err == nil {
					s.where.remember(id, sh)
				}
				return sh, false, err
			case !errors.Is(f.err, store.ErrNotFound):
				err = f.sh.wrap(f.err)
			}
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
	return nil, false, err
}

// rightful returns the shard whose word counts about a tenant of which one has something: while the
// tenant is being moved, two have.
func (s *Store) rightful(
	ctx context.Context, found *shard, tenant string, a access,
) (*shard, error) {
	st, err := s.stateAt(ctx, found, tenant)
	if err != nil || st.Phase == store.TenantSettled {
		return found, err
	}
	return s.home(ctx, tenant, a)
}

// atSubscription calls a shard about a subscription, and again if the subscription turns out to be
// in another one than remembered.
func atSubscription[T any](
	ctx context.Context, s *Store, id string, a access, call func(*shard) (T, error),
) (out T, err error) {
	if err := s.begin(ctx); err != nil {
		return out, err
	}
	for range maxHops {
		sh, remembered, err := s.locate(ctx, id, a)
		if err != nil {
			return out, err
		}
		out, err = call(sh)
		switch {
		case errors.Is(err, store.ErrMoved):
			s.where.forget(id)
			s.homes.outdated(sh)
		case errors.Is(err, store.ErrNotFound) && remembered:
			s.where.forget(id)
		default:
			return out, sh.wrap(err)
		}
	}
	return out, fmt.Errorf("shards: subscription %s: %w", id, store.ErrMoved)
}
