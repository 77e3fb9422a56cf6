package boltstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/groupcommit"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/txn"

	bolt "go.etcd.io/bbolt"
)

var _ store.Store = (*Store)(nil)

// Store is a [store.Store] in a bbolt file. Make one with [Open] or [New]. It is safe for
// concurrent use.
type Store struct {
	file      *boltfile.File
	exclusive bool // the file is the store's alone
	name      string
	ready     chan struct{}
	choosing  chan struct{} // has one slot, for the claim that is choosing
	beginning chan struct{} // has one slot, for the read that is beginning, see beginRead
	closed    atomic.Bool

	clock                         // the store's own
	commitTx func(*bolt.Tx) error // file.Commit, but for tests

	commits   *groupcommit.Group[*txn.Tx] // of operations that write
	closeWait time.Duration               // how long Close waits for the host's transaction

	settings txn.Settings // of transactions
	writer   txn.Writer

	// mu guards what follows. It is never held over a commit, nor while a transaction begins or
	// ends: all of them can wait for the host.
	mu     sync.Mutex
	memory memory.Memory // what is pending and leased
	// Of transactions that memory does not know to have committed, in their order.
	unapplied []*unapplied
}

// newStore makes a store in an open file.
func newStore(file *boltfile.File, exclusive bool, o Options) (*Store, error) {
	s := &Store{
		file:      file,
		exclusive: exclusive,
		clock:     startClock(o.wall, 0),
		name:      o.Name,
		closeWait: o.closeWait,
		ready:     make(chan struct{}, 1),
		choosing:  make(chan struct{}, 1),
		beginning: make(chan struct{}, 1),
		commitTx:  file.Commit,
	}
	s.settings = txn.Settings{
		Buckets: txn.BucketsOf(o.Name), Now: s.now, Wall: o.wall, EraseStep: o.eraseStep,
	}
	s.commits = s.newCommits(exclusive)
	s.memory = memory.New(s.now, s.newCounts(), o.budget, o.spillStep)
	if err := s.prepare(); err != nil {
		return nil, err
	}
	// Has what is there synced: what it holds is acknowledged again from now on.
	if _, err := s.transact(func(*txn.Tx) error { return nil }); err != nil {
		return nil, err
	}
	err := s.read(context.Background(), func(t *txn.Tx) error {
		floor := t.KeptClock()
		s.clock = startClock(o.wall, floor)
		t.Now = s.now()
		s.writer.LastEnqueued = t.Events.LastEnqueued()
		return s.memory.Restore(t)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// prepare makes the store's buckets, unless they are there, and checks the format.
func (s *Store) prepare() error {
	has, err := hasStore(s.file, s.name)
	if err != nil {
		return err
	}
	if !has {
		return storeError(s.file.Update(func(tx *bolt.Tx) error { return txn.Initialize(tx, s.name) }))
	}
	err = s.read(context.Background(), func(t *txn.Tx) error { return t.CheckFormat() })
	if err != nil {
		return fmt.Errorf("store %q: %w", s.name, err)
	}
	return nil
}

// CloseWait is how long Close waits for a transaction of the host.
const CloseWait = 5 * time.Second

// Close commits what waits and ends the use of the store: after it, every method returns
// [store.ErrClosed]. It writes the last counts, so a host closes a database of its own only
// afterwards. A database that Open has opened is closed too. Calling it again does nothing.
//
// Close returns when the commit under way and those of what waits are on disk; only the disk bounds
// that, and a transaction of the host that reads while the file must grow, see [New]. In a host's
// own database, a transaction of the host can be in the way. If it is still open after [CloseWait],
// the calls that wait fail with ErrClosed, and what they were to write is never written; then Close
// returns an error, and the store is closed nevertheless. So don't call Close while the same
// goroutine has such a transaction open.
func (s *Store) Close() error {
	defer s.wakeReader() // who waits for work learns that there is none any more
	if s.closed.Swap(true) {
		return nil
	}
	err := errors.Join(s.closeCommits(), storeError(s.file.Close()))
	if err != nil {
		return fmt.Errorf("boltstore: close: %w", err)
	}
	return nil
}

// closeCommits commits what waits and then the last counts.
func (s *Store) closeCommits() error {
	ctx := context.Background()
	if !s.exclusive { // otherwise nobody but the store has a transaction
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.closeWait)
		defer cancel()
	}
	err := s.commits.Close(ctx, &groupcommit.Op[*txn.Tx]{Do: writeCounts})
	s.memory.Counts.Stop()
	if err != nil {
		return fmt.Errorf("a transaction of the host was still open after %v, "+
			"so what waited for it is not written; "+
			"end the host's transactions before Close", s.closeWait)
	}
	return nil
}

// Ready implements [store.Queue].
func (s *Store) Ready() <-chan struct{} { return s.ready }

// check says whether a method may start.
func (s *Store) check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.closed.Load() {
		return store.ErrClosed
	}
	return nil
}
