package database

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/groupcommit"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"

	bolt "go.etcd.io/bbolt"
)

// DB is the open file of a store, with the memory that follows it. Make one with [New]. It is safe
// for concurrent use. It must not be copied: its parts point to each other.
type DB struct {
	reader
	state
	commits
	attemptCounts

	Cursors *page.Sealer // of listings: callers have them sealed by a key of the file
}

// Options are the settings of a [DB]. None has a default.
type Options struct {
	Name      string           // of the store
	Exclusive bool             // the file is the store's alone, and not in a database of the host
	Wall      func() time.Time // the system's clock
	EraseStep int              // how many deliveries one step of an erasure changes

	// How many deliveries memory has of the latest events, and how many subscriptions one commit
	// writes chunks of; if zero, package memory's defaults.
	Budget, SpillStep int
}

// New makes a DB of an open file, in which it makes the store's buckets if they are not there. The
// caller closes file after an error; otherwise Close does.
func New(file *boltfile.File, o Options) (*DB, error) {
	d := new(DB)
	d.connect(file, o)
	if err := d.prepare(o.Name); err != nil {
		return nil, err
	}
	// Has what is there synced: what it holds is acknowledged again from now on.
	if _, err := d.transact(func(*txn.Tx) error { return nil }); err != nil {
		return nil, err
	}
	err := d.Read(context.Background(), func(t *txn.Tx) error {
		// Now that the file can be read: the store's clock goes on no earlier than it had come.
		d.clock = startClock(o.Wall, t.KeptClock())
		// The transaction began with the clock of before.
		t.Now = d.Now()
		// So that a system's clock that was set back while the store was closed is noticed.
		d.writer.LastEnqueued = t.Events.LastEnqueued()
		d.Cursors = page.NewSealer(t.CursorKey())
		return d.Memory.Restore(t)
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// connect makes the parts, and tells each of those that it uses. The order matters: memory is given
// the buffer of counts, and the group must know whether the file is the store's alone.
func (d *DB) connect(file *boltfile.File, o Options) {
	// A clock for the first transactions, until the file has told how far the store's had come.
	d.file, d.exclusive, d.clock = file, o.Exclusive, startClock(o.Wall, 0)
	d.beginning = make(chan struct{}, 1)
	d.Turns.start()
	d.settings = buckets.Settings{
		Buckets: buckets.NamesOf(o.Name), Now: d.Now, Wall: o.Wall, EraseStep: o.EraseStep,
	}
	d.attemptCounts = attemptCounts{db: &d.reader, commits: &d.commits}
	d.attemptCounts.start()
	d.ready = make(chan struct{}, 1)
	d.Memory = memory.New(d.Now, d.buffer, o.Budget, o.SpillStep)
	d.commits = commits{db: &d.reader, state: &d.state, counts: &d.attemptCounts}
	d.commits.start()
}

// prepare makes the buckets of a store, unless they are there, and checks the format. In a host's
// database the buckets may be missing; Open has checked that they are there.
func (d *DB) prepare(name string) error {
	has, err := HasStore(d.file, name)
	if err != nil {
		return err
	}
	if !has {
		return Error(d.file.Update(func(tx *bolt.Tx) error {
			return buckets.Initialize(tx, name)
		}))
	}
	err = d.Read(context.Background(), func(t *txn.Tx) error { return t.CheckFormat() })
	if err != nil {
		return fmt.Errorf("store %q: %w", name, err)
	}
	return nil
}

// HasStore reports whether the file has a bucket of a store. One bucket stands for all: they are
// made in one transaction, and New looks for the others.
func HasStore(file *boltfile.File, name string) (has bool, err error) {
	err = file.View(func(tx *bolt.Tx) error {
		has = tx.Bucket(buckets.NamesOf(name)[buckets.Meta]) != nil
		return nil
	})
	return has, Error(err)
}

// Close commits what waits, then the last counts, and closes the file, also if the commits failed.
// It waits for a transaction of the host at most as long as wait. Calling it again does nothing.
func (d *DB) Close(wait time.Duration) error {
	defer d.wake() // so that a caller that waits for work asks, and gets ErrClosed
	// First of all, so that no new call begins while what waits is committed.
	if d.closed.Swap(true) {
		return nil
	}
	// The file is closed even if the commits failed, or its lock would stay.
	return errors.Join(d.closeCommits(wait), Error(d.file.Close()))
}

// closeCommits commits what waits and then the last counts. In the order in which nothing is lost:
// outcomes that wait are counted when they are committed, and the last operation of the group
// writes the counts.
func (d *DB) closeCommits(wait time.Duration) error {
	ctx := context.Background()
	if !d.exclusive { // otherwise nobody but the store has a transaction
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, wait)
		defer cancel()
	}
	err := d.group.Close(ctx, &groupcommit.Op[*txn.Tx]{Do: writeCounts})
	// After the group is closed, so that no flush is left that would give it an operation.
	d.buffer.Stop()
	if err != nil {
		return fmt.Errorf("a transaction of the host was still open after %v, "+
			"so what waited for it is not written; "+
			"end the host's transactions before Close", wait)
	}
	return nil
}
