package boltstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/groupcommit"
	"github.com/outhook/outhook/store/internal/rollup"
	"github.com/outhook/outhook/store/internal/schedule"
)

var _ store.Store = (*Store)(nil)

// Store is a [store.Store] in a bbolt file. Make one with [Open] or [New]. It is safe for concurrent use.
type Store struct {
	file      *boltfile.File
	exclusive bool // the file is the store's alone
	name      string
	buckets   *[bucketCount][]byte // what they are called
	budget    int                  // see spill.go, also for the next
	spillStep int
	eraseStep int // see erasures.go
	ready     chan struct{}
	choosing  chan struct{} // has one slot, for the claim that is choosing
	beginning chan struct{} // has one slot, for the read that is beginning, see beginRead
	closed    atomic.Bool

	clock                         // the store's own
	commitTx func(*bolt.Tx) error // file.Commit, but for tests

	commits   *groupcommit.Group[*txn] // of operations that write
	counts    *rollup.Buffer           // of attempts, those that the file has not
	closeWait time.Duration            // how long Close waits for the host's transaction

	audiences      audienceCache // belongs to whoever has the write transaction
	staleAudiences atomic.Bool   // audiences may be from a transaction that came to nothing
	stamped        int64         // the latest time of an event, see stamp; likewise
	highestID      string        // no event's ID is higher; "" when it is not known. It belongs to the same

	// mu guards what follows. It is never held over a commit, nor while a transaction begins or ends: all of
	// them can wait for the host.
	mu        sync.Mutex
	memory               // what is pending and leased
	unapplied []*effects // of transactions that memory does not know to have committed, in their order
	house     house      // keeping
}

// newStore makes a store in an open file.
func newStore(file *boltfile.File, exclusive bool, o Options) (*Store, error) {
	s := &Store{
		file:      file,
		exclusive: exclusive,
		clock:     startClock(o.wall, 0),
		name:      o.Name,
		buckets:   bucketsOf(o.Name),
		budget:    o.budget,
		spillStep: o.spillStep,
		closeWait: o.closeWait,
		eraseStep: o.eraseStep,
		ready:     make(chan struct{}, 1),
		choosing:  make(chan struct{}, 1),
		beginning: make(chan struct{}, 1),
		commitTx:  file.Commit,
		memory: memory{schedule: schedule.New[subscriber, claimed](schedule.Options{
			Window: maxWindow, Idle: maxIdle, FirstToken: rand.Uint64() >> 1,
		}), numbers: make(numbersByID)},
	}
	s.schedule.Dropped = s.numbers.drop
	s.commits, s.counts = s.newCommits(exclusive), s.newCounts()
	if err := s.prepare(); err != nil {
		return nil, err
	}
	// Has what is there synced: what it holds is acknowledged again from now on.
	if _, err := s.transact(func(*txn) error { return nil }); err != nil {
		return nil, err
	}
	err := s.read(context.Background(), func(t *txn) error {
		t.restoreClock(o.wall)
		return s.restore(t)
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
		return storeError(s.file.Update(func(tx *bolt.Tx) error { return initialize(tx, s.name) }))
	}
	return s.read(context.Background(), func(t *txn) error { return t.checkFormat() })
}

// initialize makes the buckets of an empty store.
func initialize(tx *bolt.Tx, store string) error {
	buckets := bucketsOf(store)
	for _, name := range buckets {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	t := &txn{store: &Store{buckets: buckets}, tx: tx}
	return t.putMetaNumber(metaFormat, format)
}

// checkFormat checks that the store is one that this package knows.
func (t *txn) checkFormat() error {
	for _, name := range t.store.buckets {
		if t.tx.Bucket(name) == nil {
			return fmt.Errorf("%w: there is no bucket %q", store.ErrCorrupt, name)
		}
	}
	version, err := t.metaNumber(metaFormat)
	switch {
	case err != nil:
		return err
	case version == 0:
		return fmt.Errorf("%w: the store %q has no format version", store.ErrCorrupt, t.store.name)
	case version != format:
		return fmt.Errorf("the file has format %d, and this version of outhook knows only %d", version, format)
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
// that, and a transaction of the host that reads while the file must grow, see [New]. In a host's own database, a transaction of the host can be in the way. If it is still open
// after [CloseWait], the calls that wait fail with ErrClosed, and what they were to write is never
// written; then Close returns an error, and the store is closed nevertheless. So don't call Close
// while the same goroutine has such a transaction open.
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
	err := s.commits.Close(ctx, &groupcommit.Op[*txn]{Do: flushNow})
	s.counts.Stop()
	if err != nil {
		return fmt.Errorf("a transaction of the host was still open after %v, so what waited for it is not written; "+
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
