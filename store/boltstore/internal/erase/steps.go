package erase

import (
	"context"

	"github.com/outhook/outhook/store/boltstore/internal/database"
	"github.com/outhook/outhook/store/boltstore/internal/listing"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// Eraser erases events, and finishes erasures that were cut off. Make one with [New]. It is safe
// for concurrent use.
type Eraser struct {
	db    *database.DB
	lists *listing.Lister // for the events of a tenant
}

// New returns an Eraser of a store.
func New(db *database.DB, lists *listing.Lister) *Eraser { return &Eraser{db, lists} }

// finish takes the steps of an erasure until the last.
func (e *Eraser) finish(ctx context.Context, seq uint64) (err error) {
	// Each step is an operation of its own, so those who publish come in between.
	for done := false; !done && err == nil; {
		if err = e.db.Check(ctx); err == nil {
			done, err = e.step(ctx, seq)
		}
	}
	if err != nil { // it is left to Prune
		e.db.Lock()
		defer e.db.Unlock()
		if known := e.db.Memory.Erasing[seq]; known != nil {
			// Prune and the next Erase pass over one that is under way, whose caller takes the
			// steps.
			known.UnderWay = false
		}
	}
	return err
}

// step takes one step of an erasure. It is done if that was the last, or if there is none.
func (e *Eraser) step(ctx context.Context, seq uint64) (bool, error) {
	var done bool // no result, as in one
	err := e.db.Write(ctx, func(t *txn.Tx) (err error) {
		done, err = t.Erasures.Step(seq)
		return err
	})
	if err != nil {
		return false, err
	}
	return done, nil
}

// Resume takes a step of an erasure that was cut off. It reports whether there was one. Which one
// does not matter: each step brings one nearer to its end.
func (e *Eraser) Resume(ctx context.Context) (more bool, err error) {
	seq := uint64(0)
	e.db.Lock()
	for other, known := range e.db.Memory.Erasing {
		if !known.UnderWay {
			seq = other
		}
	}
	e.db.Unlock()
	if seq == 0 {
		return false, nil
	}
	_, err = e.step(ctx, seq)
	return true, err
}

// ResumeAll finishes all erasures that were cut off. Those under way are their callers'.
func (e *Eraser) ResumeAll(ctx context.Context) error {
	for more := true; more; {
		if err := e.db.Check(ctx); err != nil {
			return err
		}
		var err error
		if more, err = e.Resume(ctx); err != nil {
			return err
		}
	}
	return nil
}
