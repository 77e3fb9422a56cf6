package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// Prune implements [store.History].
func (s *Store) Prune(ctx context.Context, r store.Retention) (more bool, err error) {
	if err = r.Validate(); err == nil {
		err = s.db.check(ctx)
	}
	if err == nil {
		more, err = s.pruner.step(ctx, r)
	}
	if err != nil {
		return false, fmt.Errorf("boltstore: prune: %w", err)
	}
	return more, nil
}

// pruner does what Prune has to, a step at a time: erasures that were cut off, then purges, then
// the walk through the log.
type pruner struct {
	db       *database
	state    *state
	commits  *commits
	erasures *eraser
}

// step takes one step, and reports whether there is more to do.
func (p *pruner) step(ctx context.Context, r store.Retention) (more bool, err error) {
	if more, err := p.erasures.resume(ctx); more || err != nil {
		return more, err
	}
	if p.plannedPurge() != nil {
		return true, p.commits.submit(ctx, &op{run: func(t *txn.Tx) error {
			// Now, for another step may have been taken meanwhile.
			if w := p.plannedPurge(); w != nil {
				return w.Step(t)
			}
			return nil
		}})
	}
	return p.walkLog(ctx, r)
}

// walkLog takes one step of a round through the log, which looks at the events that may have
// something past its retention. It looks in a transaction that reads, and writes only when there is
// something to do.
func (p *pruner) walkLog(ctx context.Context, r store.Retention) (more bool, err error) {
	w := p.plannedWalk(r)
	if err := p.db.read(ctx, w.Read); err != nil {
		return false, err
	}
	ended := len(w.Stretches) == 0 && w.All && !w.Orphans // or else there are others by now
	if w.Blocked != 0 || ended || len(w.Rows)+len(w.Events)+len(w.Counts) > 0 {
		p.state.Lock()
		p.state.memory.RequireWatermark(w.Blocked)
		p.state.Unlock()
		err := p.commits.submit(ctx, &op{run: func(t *txn.Tx) error { return w.Remove(t, ended) }})
		if err != nil {
			return false, err // the next step looks at the same again
		}
	}
	p.state.Lock()
	defer p.state.Unlock()
	return p.state.memory.EndWalk(w), nil
}

// plannedPurge returns the next step of a purge; nil if there is none.
func (p *pruner) plannedPurge() *txn.Purge {
	p.state.Lock()
	defer p.state.Unlock()
	return p.state.memory.PlanPurge()
}

// plannedWalk returns the next step of the walk through the log.
func (p *pruner) plannedWalk(r store.Retention) *memory.PlannedWalk {
	p.state.Lock()
	defer p.state.Unlock()
	return p.state.memory.PlanWalk(r)
}
