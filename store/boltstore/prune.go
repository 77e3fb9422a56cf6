package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/database"
	"github.com/outhook/outhook/store/boltstore/internal/erase"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// Prune implements [store.History]. One call is one step, of some milliseconds and one commit at
// most, so that those who publish meanwhile get their turn.
func (s *Store) Prune(ctx context.Context, r store.Retention) (more bool, err error) {
	if err = r.Validate(); err == nil {
		err = s.db.Check(ctx)
	}
	if err == nil {
		more, err = s.pruner.step(ctx, r)
	}
	if err != nil {
		return false, fmt.Errorf("boltstore: prune: %w", err)
	}
	return more, nil
}

// pruner does what Prune has to, a step at a time: erasures that were cut off, then what has
// expired, then purges, then the walk through the log.
type pruner struct {
	db       *database.DB
	erasures *erase.Eraser
}

// step takes one step, and reports whether there is more to do.
func (p *pruner) step(ctx context.Context, r store.Retention) (more bool, err error) {
	if more, err := p.erasures.Resume(ctx); more || err != nil {
		return more, err
	}
	if more, err := p.expire(ctx); more || err != nil {
		return more, err
	}
	// Looked at outside of a transaction first: without anything to purge it costs none.
	if p.plannedPurge() != nil {
		return true, p.db.Write(ctx, func(t *txn.Tx) error {
			// Now, for another step may have been taken meanwhile.
			if w := p.plannedPurge(); w != nil {
				return w.Step(t)
			}
			return nil
		})
	}
	return p.walkLog(ctx, r)
}

// expire takes a step of writing down what has expired, and reports whether there was one.
func (p *pruner) expire(ctx context.Context) (more bool, err error) {
	// Looked at in a transaction that reads first, as a rule there is nothing.
	err = p.db.Read(ctx, func(t *txn.Tx) error {
		more = t.Expiries.Due()
		return nil
	})
	if err == nil && more {
		err = p.db.Write(ctx, func(t *txn.Tx) error { return t.Expiries.Step() })
	}
	return more, err
}

// walkLog takes one step of a round through the log, which looks at the events that may have
// something past its retention. It looks in a transaction that reads, and writes only when there is
// something to do.
func (p *pruner) walkLog(ctx context.Context, r store.Retention) (more bool, err error) {
	w := p.plannedWalk(r)
	if err := p.db.Read(ctx, w.Read); err != nil {
		return false, err
	}
	ended := len(w.Stretches) == 0 && w.All && !w.Orphans // or else there are others by now
	if w.Blocked != 0 || ended || len(w.Rows)+len(w.Events)+len(w.Counts) > 0 {
		p.db.Lock()
		// Before the commit, so that the rise rides on it.
		p.db.Memory.RequireWatermark(w.Blocked)
		p.db.Unlock()
		err := p.db.Write(ctx, func(t *txn.Tx) error { return w.Remove(t, ended) })
		if err != nil {
			return false, err // the next step looks at the same again
		}
	}
	p.db.Lock()
	defer p.db.Unlock()
	// Only after the commit: memory must not pass over what is still there.
	return p.db.Memory.EndWalk(w), nil
}

// plannedPurge returns the next step of a purge; nil if there is none.
func (p *pruner) plannedPurge() *txn.Purge {
	p.db.Lock()
	defer p.db.Unlock()
	return p.db.Memory.PlanPurge()
}

// plannedWalk returns the next step of the walk through the log.
func (p *pruner) plannedWalk(r store.Retention) *memory.PlannedWalk {
	p.db.Lock()
	defer p.db.Unlock()
	return p.db.Memory.PlanWalk(r)
}
