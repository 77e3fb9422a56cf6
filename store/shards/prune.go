package shards

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

const (
	pruneSoon = 250 * time.Millisecond // how long a Prune waits for a shard while others have more
	pruneWait = 5 * time.Second        // and when they are done
)

// pruning is a step of one shard. more and err are set when done is closed; late belongs to the
// Prune that holds Store.pruning.
type pruning struct {
	done chan struct{}
	more bool
	err  error
	late bool // a Prune has waited for it in vain
}

// Prune implements [store.History]. It takes a step in every shard. While one of them has more to
// do it reports that, so that a shard in trouble keeps none from being pruned: its trouble is
// returned when the others are done, and a step that takes long is waited for only then.
func (s *Store) Prune(ctx context.Context, r store.Retention) (more bool, err error) {
	if err := r.Validate(); err != nil {
		return false, fmt.Errorf("shards: prune: %w", err)
	}
	if err := s.begin(ctx); err != nil {
		return false, fmt.Errorf("shards: prune: %w", err)
	}
	if len(s.shards) == 1 {
		return s.shards[0].Prune(ctx, r)
	}
	select {
	case s.pruning <- struct{}{}:
		defer func() { <-s.pruning }()
	case <-ctx.Done():
		return false, fmt.Errorf("shards: prune: %w", ctx.Err())
	}
	for _, sh := range s.shards {
		if sh.prune == nil && !s.beginPrune(sh, r) {
			return false, fmt.Errorf("shards: prune: %w", store.ErrClosed)
		}
	}
	more, ended, err := s.awaitPrune(ctx, pruneSoon)
	if !more && !ended && ctx.Err() == nil {
		var rest error
		more, _, rest = s.awaitPrune(ctx, pruneWait)
		err = firstOf(err, rest)
	}
	switch {
	case ctx.Err() != nil:
		return false, fmt.Errorf("shards: prune: %w", ctx.Err())
	case more:
		return true, nil
	}
	return false, err
}

// beginPrune begins a step of a shard, and reports whether it did.
func (s *Store) beginPrune(sh *shard, r store.Retention) bool {
	step := &pruning{done: make(chan struct{})}
	if !s.start(func() {
		defer close(step.done)
		// Not with the context of the call: it may go on when that has returned.
		step.more, step.err = guard(func() (bool, error) { return sh.Store.Prune(s.life, r) })
	}) {
		return false
	}
	sh.prune = step
	return true
}

// awaitPrune takes in the steps that end within a time, and reports whether one of them has more to
// do, and whether all have ended. Those that have been waited for in vain are not waited for again,
// but for as long as pruneWait.
func (s *Store) awaitPrune(
	ctx context.Context, wait time.Duration,
) (more, ended bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	over, end := context.WithCancel(waiting)
	end()
	ended = true
	for _, sh := range s.shards {
		step, until := sh.prune, waiting
		if step == nil {
			continue
		}
		if step.late && wait < pruneWait {
			until = over
		}
		if !step.await(until) {
			step.late, ended = true, false
			if wait == pruneWait {
				err = firstOf(err, &Error{sh.index, errSlowPrune})
			}
			continue
		}
		sh.prune = nil
		more = more || step.err == nil && step.more
		err = firstOf(err, sh.wrap(step.err))
	}
	return more, ended, err
}

var errSlowPrune = fmt.Errorf("a Prune has not returned for %v", pruneWait)

// await reports whether a step ends before a context does.
func (p *pruning) await(ctx context.Context) bool {
	select {
	case <-p.done:
		return true
	default:
	}
	select {
	case <-p.done:
		return true
	case <-ctx.Done():
		return false
	}
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
