package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"

	bolt "go.etcd.io/bbolt"
)

// newStore makes a store in an open file. The caller closes file after an error.
func newStore(file *boltfile.File, exclusive bool, o Options) (*Store, error) {
	s := &Store{closeWait: o.closeWait}
	s.connect(file, exclusive, o)
	if err := s.db.prepare(o.Name); err != nil {
		return nil, err
	}
	// Has what is there synced: what it holds is acknowledged again from now on.
	if _, err := s.commits.transact(func(*txn.Tx) error { return nil }); err != nil {
		return nil, err
	}
	err := s.db.read(context.Background(), func(t *txn.Tx) error {
		// Now that the file can be read: the store's clock goes on no earlier than it had come.
		s.db.clock = startClock(o.wall, t.KeptClock())
		// The transaction began with the clock of before.
		t.Now = s.db.now()
		// So that a system's clock that was set back while the store was closed is noticed.
		s.db.writer.LastEnqueued = t.Events.LastEnqueued()
		s.lists.cursors = page.NewSealer(t.CursorKey())
		return s.state.memory.Restore(t)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// connect makes the parts of the store, and tells each of those that it uses. The order matters:
// memory is given the buffer of counts, and the group must know whether the file is the store's
// alone.
func (s *Store) connect(file *boltfile.File, exclusive bool, o Options) {
	db, state, commits := &s.db, &s.state, &s.commits
	// A clock for the first transactions, until the file has told how far the store's had come.
	db.file, db.exclusive, db.clock = file, exclusive, startClock(o.wall, 0)
	db.beginning, db.turns = make(chan struct{}, 1), newTurns()
	db.settings = txn.Settings{
		Buckets: txn.BucketsOf(o.Name), Now: db.now, Wall: o.wall, EraseStep: o.eraseStep,
	}
	s.counts = attemptCounts{db: db, commits: commits}
	s.counts.start()
	state.ready = make(chan struct{}, 1)
	state.memory = memory.New(db.now, s.counts.buffer, o.budget, o.spillStep)
	commits.db, commits.state, commits.counts = db, state, &s.counts
	commits.start()

	s.claims = claimer{
		db: db, state: state, commits: commits, leasing: make(chan struct{}, 1),
	}
	// cursors: newStore sets it, from the file
	s.lists = newLister(db, state)
	s.statistics.db, s.statistics.state, s.statistics.counts = db, state, &s.counts
	s.erasures = eraser{db: db, state: state, commits: commits}
	s.pruner = pruner{db: db, state: state, commits: commits, erasures: &s.erasures}
}

// prepare makes the buckets of a store, unless they are there, and checks the format. In a host's
// database the buckets may be missing; Open has checked that they are there.
func (d *database) prepare(name string) error {
	has, err := hasStore(d.file, name)
	if err != nil {
		return err
	}
	if !has {
		return storeError(d.file.Update(func(tx *bolt.Tx) error {
			return txn.Initialize(tx, name)
		}))
	}
	err = d.read(context.Background(), func(t *txn.Tx) error { return t.CheckFormat() })
	if err != nil {
		return fmt.Errorf("store %q: %w", name, err)
	}
	return nil
}
