package database

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

const (
	// rest is how long a reader rests before a step beside writers. A thread that the disk wakes
	// may wait for a processor that a reader keeps, for longer than the disk took: with rests, and
	// steps of buckets.SliceTime, what publishers wait for at most grew by a fifth beside readers
	// that never end, where it had tripled. Many systems make a millisecond of it.
	rest = 100 * time.Microsecond

	// writing is for how long after a transaction that wrote the next one is expected.
	writing = 10 * time.Millisecond
)

// turns lets few long reads go on at a time. Many readers would take all processors from those who
// publish and deliver, who wait for a commit most of the time and are few at any moment. So readers
// leave them half, rest while others write, and wait for each other: in the order in which they
// came, after each step.
//
// One who waits for a turn holds neither a transaction nor a lock, and one who has a turn waits for
// nothing but the beginning of a transaction.
type turns struct {
	slots chan struct{}
	wrote atomic.Int64 // when a transaction that writes last ended, in nanoseconds since 1970
}

func (t *turns) start() { t.slots = make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)) }

// Len returns how many turns there are.
func (t *turns) Len() int { return cap(t.slots) }

// Take waits for a turn. If it returns nil, the caller calls End when its step is over.
func (t *turns) Take(ctx context.Context) error {
	select {
	case t.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	// By the system's clock: one that is set only makes a step rest, or not.
	if time.Now().UnixNano()-t.wrote.Load() < int64(writing) {
		time.Sleep(rest) // with the turn, so that nobody else reads meanwhile
	}
	return nil
}

func (t *turns) End() { <-t.slots }

// written notes that a transaction that writes has ended.
func (t *turns) written() { t.wrote.Store(time.Now().UnixNano()) }

// ReadStep is Read for one step of a read that may be long: it waits for a turn.
func (d *reader) ReadStep(ctx context.Context, f func(*txn.Tx) error) error {
	if err := d.Turns.Take(ctx); err != nil {
		return err
	}
	defer d.Turns.End()
	return d.Read(ctx, f)
}
