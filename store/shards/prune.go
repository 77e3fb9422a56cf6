package shards

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/calls"
)

const (
	pruneSoon = 250 * time.Millisecond // how long a Prune waits for a shard while others have more
	pruneWait = 5 * time.Second        // and when they are done
)

// Prune is for the whole Store: a shard that hangs must not keep the history of the others from
// being removed, so none is waited for while others have something to do.

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
		// One that an earlier Prune has begun goes on. A second one beside it would only wait for
		// the same locks.
		if sh.prune == nil && !sh.beginPrune(s.calls, r) {
			return false, fmt.Errorf("shards: prune: %w", store.ErrClosed)
		}
	}
	more, ended, err := awaitPrune(ctx, s.shards, pruneSoon)
	if !more && !ended && ctx.Err() == nil {
		// The others are done, so now there is time for it.
		var rest error
		more, _, rest = awaitPrune(ctx, s.shards, pruneWait)
		err = firstOf(err, rest)
	}
	switch {
	case ctx.Err() != nil:
		return false, fmt.Errorf("shards: prune: %w", ctx.Err())
	case more: // its caller goes on at once, and is told of the trouble in the end
		return true, nil
	}
	return false, err
}

// beginPrune begins a step of a shard, and reports whether it did.
func (sh *shard) beginPrune(group *calls.Group, r store.Retention) bool {
	step := &pruning{done: make(chan struct{})}
	if !group.Start(func() {
		defer close(step.done)
		// Not with the context of the call: it may go on when that has returned.
		step.more, step.err = calls.Guard(func() (bool, error) {
			return sh.Store.Prune(group.Context(), r)
		})
	}) {
		return false
	}
	sh.prune = step
	return true
}

// awaitPrune takes in the steps that end within a time, and reports whether one of them has more to
// do, and whether all have ended. Those that have been waited for in vain are not waited for again,
// but for as long as pruneWait.
func awaitPrune(
	ctx context.Context, shards []*shard, wait time.Duration,
) (more, ended bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	over, end := context.WithCancel(waiting) // for one look
	end()
	// One wait for all of them: they run at the same time, so each has had as long as the others.
	ended = true
	for _, sh := range shards {
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
		sh.prune = nil // the next Prune begins another step
		more = more || step.err == nil && step.more
		err = firstOf(err, sh.wrap(step.err))
	}
	return more, ended, err
}

var errSlowPrune = fmt.Errorf("a Prune has not returned for %v", pruneWait)

// await reports whether a step ends before a context does.
func (p *pruning) await(ctx context.Context) bool {
	select {
	case <-p.done: // also if ctx has ended: select chooses at random
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
