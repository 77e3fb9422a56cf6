package database

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/groupcommit"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// Op is one operation that writes.
type Op struct {
	// Run does it in a transaction that it may share with others. It checks everything before it
	// writes, as far as it can, and may run more than once: in a transaction of others when one of
	// them has failed halfway. It may run after Submit has returned, when the context has ended: so
	// the caller reads what it has written only after Submit has returned nil.
	Run func(*txn.Tx) error

	// Ended is told how it ended, under the mutex of Memory, before the caller of Submit is. It may
	// be nil.
	Ended func(error)

	// Outcomes is 0 for an operation that someone waits for. Otherwise it says how many outcomes it
	// records: it waits for a commit to ride on. NextCommit has it ride on the next, even if those
	// that wait are few.
	Outcomes   int
	NextCommit bool
}

// The bounds of waiting for a commit to ride on.
const (
	// How long outcomes wait at most; losing them repeats an attempt and no more.
	maxDelay = 5 * time.Millisecond
	// Enough to ride on the next commit: one that has some writes a few pages more.
	rideOutcomes = 32
	// enough for a commit of their own: with 16, many callers of few outcomes each could all wait
	// for maxDelay
	flushOutcomes = 256
)

// blocked is told to a caller whose context ends while the host has a transaction that writes. The
// usual cause is a Publish inside that transaction, which waits for its own caller.
const blocked = "while a transaction of the host had the database's write lock; end that first, " +
	"or inside it publish by PublishTx"

// commits writes to the file: it has operations share transactions, adds what rides on those, and
// has memory follow each that has committed.
type commits struct {
	db     *reader                     // begins the transactions
	state  *state                      // follows what has committed
	counts *attemptCounts              // may ride along
	group  *groupcommit.Group[*txn.Tx] // has operations share transactions

	// Intercept is called in place of a commit, which it gets. It is for tests, nil otherwise.
	Intercept func(commit func() error) error
}

// start begins to take operations. In a host's own database, others write too. It can't be part of
// the literal, because the group is given methods of c.
func (c *commits) start() {
	words := blocked
	if c.db.exclusive {
		words = "" // nobody else has transactions
	}
	c.group = groupcommit.New(groupcommit.Config[*txn.Tx]{
		Transact: c.transact,
		Do:       c.runOp,
		// Only then may a caller that comes alone begin its transaction itself: nobody else can
		// have one, so beginning never blocks.
		Exclusive: c.db.exclusive,
		// Ended is called under it, right after memory has followed.
		Mu:           c.state,
		Closed:       store.ErrClosed,
		Blocked:      words,
		MaxDelay:     maxDelay,
		RideRecords:  rideOutcomes,
		FlushRecords: flushOutcomes,
	})
}

// Write runs one operation that writes, as Submit does.
func (c *commits) Write(ctx context.Context, run func(*txn.Tx) error) error {
	return c.Submit(ctx, &Op{Run: run})
}

// Submit has an operation committed with others, and returns when it is on disk. When ctx ends
// first, it returns at once, unless it is the one that commits: if the operation's transaction had
// not begun, because the host or others had theirs, it is never done; otherwise it may or may not
// be done. It must not be called with the mutex of Memory held, nor in a transaction that writes:
// it waits for one of its own.
func (c *commits) Submit(ctx context.Context, o *Op) error {
	return c.group.Submit(ctx, &groupcommit.Op[*txn.Tx]{
		Do:         o.Run,
		Ended:      o.Ended,
		Records:    o.Outcomes,
		NextCommit: o.NextCommit,
	})
}
