package shards

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/calls"
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

// find returns where a subscription was seen last; nil if that is not known.
func (l *locations) find(id string) *shard {
	l.mu.Lock()
	defer l.mu.Unlock()
	if sh := l.recent[id]; sh != nil {
		return sh
	}
	sh := l.previous[id]
	if sh != nil { // it is in use, so it is to outlive the generation
		l.put(id, sh)
	}
	return sh
}

// remember notes where a subscription was seen.
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

// forget forgets a subscription that was not where it was seen.
func (l *locations) forget(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.recent, id)
	delete(l.previous, id)
}

// clear forgets all: a tenant has moved, and of which subscriptions that is, is not known here. A
// move is rare, and each subscription costs one look at all shards.
func (l *locations) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recent, l.previous = nil, nil
}

// A subscription's shard is looked for by its ID alone, as HTTP calls and outcomes have no tenant.
// Once found, it is remembered until it turns out to be elsewhere.

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
	// With room for all, so that those which answer later end.
	answers := make(chan found, len(s.shards))
	for _, sh := range s.shards {
		ok := s.calls.Start(func() {
			sub, err := calls.Guard(func() (store.Subscription, error) {
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
			// The first that has it ends the search, so one that hangs delays nobody who can be
			// found elsewhere.
			switch {
			case f.err == nil:
				if sh, err = s.homes.rightful(ctx, f.sh, f.tenant, a); err == nil {
					s.where.remember(id, sh)
				}
				return sh, false, err
			case !errors.Is(f.err, store.ErrNotFound): // it may have it
				err = f.sh.wrap(f.err)
			}
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
	return nil, false, err
}

// atSubscription calls a shard about a subscription, and again if the subscription turns out to be
// in another one than remembered.
func atSubscription[T any](
	ctx context.Context, s *Store, id string, a access, call func(*shard) (T, error),
) (out T, err error) {
	if err := s.begin(ctx); err != nil {
		return out, err
	}
	// It may be moved between the look and the call, also by another process. Then the shard says
	// ErrMoved, or that it is not there, and the next look is a new one.
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
