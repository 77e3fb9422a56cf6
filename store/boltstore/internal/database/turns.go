package database

import (
	"context"
	"runtime"

	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// turns lets few long reads go on at a time. Many readers would take all processors from those who
// publish and deliver, who wait for a commit most of the time and are few at any moment. So readers
// leave them half, and wait for each other: in the order in which they came, after each step.
//
// One who waits for a turn holds neither a transaction nor a lock, and one who has a turn waits for
// nothing but the beginning of a transaction.
type turns chan struct{}

func newTurns() turns { return make(turns, max(1, runtime.GOMAXPROCS(0)/2)) }

// Take waits for a turn. If it returns nil, the caller calls End when its step is over.
func (t turns) Take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	runtime.Gosched() // who can go on with a commit goes first
	return nil
}

func (t turns) End() { <-t }

// ReadStep is Read for one step of a read that may be long: it waits for a turn.
func (d *reader) ReadStep(ctx context.Context, f func(*txn.Tx) error) error {
	if err := d.Turns.Take(ctx); err != nil {
		return err
	}
	defer d.Turns.End()
	return d.Read(ctx, f)
}
