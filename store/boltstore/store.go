package boltstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
)

var _ store.Store = (*Store)(nil)

// Store is a [store.Store] in a bbolt file. Make one with [Open] or [New]. It is safe for concurrent use.
type Store struct {
	db        *bolt.DB
	owned     bool // Close closes db
	name      string
	buckets   *[bucketCount][]byte // what they are called
	budget    int                  // see spill.go, also for the next
	spillStep int
	ready     chan struct{}
	closed    atomic.Bool

	clock                         // the store's own
	commitTx func(*bolt.Tx) error // (*bolt.Tx).Commit, but for tests

	group  group // of operations that write
	synced bool  // what they find in the file is on disk, see sync.go

	audiences      audienceCache // belongs to whoever has the write transaction
	staleAudiences atomic.Bool   // audiences may be from a transaction that came to nothing
	stamped        int64         // the latest time of an event, see stamp; likewise
	highestID      string        // no event's ID is higher; "" when it is not known. It belongs to the same

	mu     sync.Mutex // guards what follows; it is never held over a commit, nor taken in a transaction that reads
	memory            // what is pending and leased
	hosted []*hosted  // what EnqueueTx has written in transactions that may still be open
	house  house      // keeping
}

// New returns a store in the host's own database, in buckets of its own, so that EnqueueTx can publish in the host's
// transactions. Close leaves the database open. There must be no two stores of one name.
//
// The database is fastest with NoFreelistSync and FreelistMapType. New does not check the file as Open does: what bbolt
// does with a damaged one is the host's to guard against. ErrCorrupt when the buckets are no store or a damaged one.
func New(db *bolt.DB, o *Options) (*Store, error) {
	s, err := newStore(db, o.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("boltstore: new: %w", err)
	}
	return s, nil
}

// newStore makes a store on an open database.
func newStore(db *bolt.DB, o Options) (*Store, error) {
	s := &Store{
		db:        db,
		clock:     startClock(o.wall, 0),
		name:      o.Name,
		buckets:   bucketsOf(o.Name),
		budget:    o.budget,
		spillStep: o.spillStep,
		ready:     make(chan struct{}, 1),
		commitTx:  (*bolt.Tx).Commit,
		memory: memory{
			queues:    make(map[uint64]*queue),
			tokens:    make(map[uint64]*lease),
			lastToken: rand.Uint64() >> 1,
		},
	}
	s.group.idle.L = &s.group.mu
	if err := s.prepare(); err != nil {
		return nil, err
	}
	if _, _, err := s.transact(nil); err != nil { // syncs what is there
		return nil, err
	}
	err := s.read(func(t *txn) error {
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
	missing := false
	err := guarded(func() error {
		return s.db.View(func(tx *bolt.Tx) error {
			missing = tx.Bucket(s.buckets[meta]) == nil
			return nil
		})
	})
	if err != nil {
		return err
	}
	if missing {
		return update(s.db, func(tx *bolt.Tx) error { return initialize(tx, s.name) })
	}
	return s.read(func(t *txn) error { return t.checkFormat() })
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

// Close waits for what is being written and ends the use of the store: after it, every method returns
// [store.ErrClosed]. It writes the last counts, so a host closes a database of its own only afterwards. A database that
// Open has opened is closed too. Calling it again does nothing.
func (s *Store) Close() error {
	defer s.wakeReader() // who waits for work learns that there is none any more
	if s.closed.Swap(true) {
		return nil
	}
	s.closeGroup()
	s.closeTallies()
	if !s.owned {
		return nil
	}
	if err := guarded(s.closeDB); err != nil {
		return fmt.Errorf("boltstore: close: %w", err)
	}
	return nil
}

// closeDB writes the list of free pages, which the next opening would otherwise find by reading all others, and closes
// the database. That the list can't be written harms nobody.
func (s *Store) closeDB() error {
	if s.synced {
		s.db.NoFreelistSync = false
		_ = update(s.db, func(*bolt.Tx) error { return nil })
	}
	return s.db.Close()
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
