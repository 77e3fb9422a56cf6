package boltstore

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/groupcommit"
	"github.com/outhook/outhook/store/boltstore/internal/txn"

	bolt "go.etcd.io/bbolt"
)

// op is one operation that writes.
type op struct {
	// run does it in a transaction that it may share with others. It checks everything before it
	// writes, as far as it can, and may run more than once: in a transaction of others when one of
	// them has failed halfway. It may run after submit has returned, when the context has ended: so
	// the caller reads what it has written only after submit has returned nil.
	run func(*txn.Tx) error

	// ended is told how it ended, under the mutex of state, before the caller of submit is. It may
	// be nil.
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

// commits writes to the file: it has operations share transactions, adds what rides on those, and
// has memory follow each that has committed.
type commits struct {
	db     *database
	state  *state
	counts *attemptCounts
	group  *groupcommit.Group[*txn.Tx]
	commit func(*bolt.Tx) error // database.file.Commit, but for tests
}

// start begins to take operations. In a host's own database, others write too.
func (c *commits) start() {
	c.commit = c.db.file.Commit
	c.group = groupcommit.New(groupcommit.Config[*txn.Tx]{
		Transact:     c.transact,
		Do:           c.runOp,
		Exclusive:    c.db.exclusive,
		Mu:           c.state,
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
func (c *commits) submit(ctx context.Context, o *op) error {
	return c.group.Submit(ctx, &groupcommit.Op[*txn.Tx]{
		Do:         o.run,
		Ended:      o.ended,
		Records:    o.outcomes,
		NextCommit: o.nextCommit,
	})
}
