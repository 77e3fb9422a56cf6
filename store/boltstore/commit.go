package boltstore

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/groupcommit"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// op is one operation that writes.
type op struct {
	// run does it in a transaction that it may share with others. It checks everything before it
	// writes, as far as it can, and may run more than once: in a transaction of others when one of
	// them has failed halfway. It may run after submit has returned, when the context has ended: so
	// the caller reads what it has written only after submit has returned nil.
	run func(*txn.Tx) error

	// ended is told how it ended, under Store.mu, before the caller of submit is. It may be nil.
	ended func(error)

	// outcomes is 0 for an operation that someone waits for. Otherwise it says how many outcomes it
	// records: it waits for a commit to ride on. nextCommit has it ride on the next, even if those
	// that wait are few.
	outcomes   int
	nextCommit bool
}

// The bounds of waiting for a commit to ride on.
const (
	maxDelay = 5 * time.Millisecond
	// Enough to ride on the next commit: one that has some writes a few pages more.
	rideOutcomes = 32
	// enough for a commit of their own: with 16, many callers of few outcomes each could all wait
	// for maxDelay
	flushOutcomes = 256
)

// newCommits returns the group of operations that write. In a host's own database, others write
// too.
func (s *Store) newCommits(exclusive bool) *groupcommit.Group[*txn.Tx] {
	return groupcommit.New(groupcommit.Config[*txn.Tx]{
		Transact:     s.transact,
		Do:           s.runOp,
		Exclusive:    exclusive,
		Mu:           locker{s},
		Closed:       store.ErrClosed,
		MaxDelay:     maxDelay,
		RideRecords:  rideOutcomes,
		FlushRecords: flushOutcomes,
	})
}

// submit has an operation committed with others, and returns when it is on disk. When ctx ends
// first, it returns at once, unless it is the one that commits: if the operation's transaction had
// not begun, because the host or others had theirs, it is never done; otherwise it may or may not
// be done.
func (s *Store) submit(ctx context.Context, o *op) error {
	return s.commits.Submit(ctx, &groupcommit.Op[*txn.Tx]{
		Do:         o.run,
		Ended:      o.ended,
		Records:    o.outcomes,
		NextCommit: o.nextCommit,
	})
}
