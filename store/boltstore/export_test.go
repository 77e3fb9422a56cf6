package boltstore

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/rollup"

	bolt "go.etcd.io/bbolt"
)

// WithBudget returns options with a budget other than the default, and with which the watermark
// takes many commits to rise, and an erasure many steps.
func WithBudget(n int) *Options { return &Options{budget: n, spillStep: 1, eraseStep: 1} }

// WithEraseStep returns options with which a step of an erasure changes n deliveries.
func WithEraseStep(o *Options, n int) *Options {
	var c Options
	if o != nil {
		c = *o
	}
	c.eraseStep = n
	return &c
}

// WithWall returns options with another system's clock.
func WithWall(wall func() time.Time) *Options { return &Options{wall: wall} }

// WithCloseWait returns options with another bound than CloseWait.
func WithCloseWait(d time.Duration) *Options { return &Options{closeWait: d} }

// FailCommits makes commits call f, which gets the real one, until it is called with nil. No commit
// may be under way that waits for the caller.
func (s *Store) FailCommits(f func(commit func() error) error) {
	// a commit that no caller waits for may be on its way
	_ = s.db.file.DB().Update(func(*bolt.Tx) error {
		if f == nil {
			s.commits.commit = s.db.file.Commit
		} else {
			s.commits.commit = func(tx *bolt.Tx) error {
				return f(func() error { return s.db.file.Commit(tx) })
			}
		}
		return errors.New("there is nothing to write")
	})
}

// Read calls f in a transaction that only reads.
func (s *Store) Read(ctx context.Context, f func() error) error {
	return s.db.read(ctx, func(*txn.Tx) error { return f() })
}

// DB returns the store's database.
func (s *Store) DB() *bolt.DB { return s.db.file.DB() }

// SetFormat changes the format version of the file.
func (s *Store) SetFormat(version uint64) error {
	return s.commits.submit(context.Background(),
		&op{run: func(t *txn.Tx) error { return t.PutMetaNumber(txn.MetaFormat, version) }})
}

// Fresh returns how many fresh deliveries memory has.
func (s *Store) Fresh() (n int) {
	s.state.Lock()
	defer s.state.Unlock()
	s.state.memory.Schedule.Subs(func(q *memory.Queue) { n += len(q.Inspect().Implicit) })
	return n
}

// Damage flips a bit of the first record of a bucket, or of the last one of counts, since the first
// has those of all. It is false if there is none.
func (s *Store) Damage(bucket string) bool {
	found := false
	err := s.db.file.DB().Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(s.db.settings.Buckets[slices.Index(txn.BucketNames[:], bucket)])
		k, v := b.Cursor().First()
		if bucket == txn.BucketNames[txn.BucketCounts] {
			k, v = b.Cursor().Last()
		}
		if found = k != nil; !found {
			return nil
		}
		v = bytes.Clone(v)
		v[len(v)/2] ^= 4
		return b.Put(bytes.Clone(k), v)
	})
	return err == nil && found
}

// Recent returns how many of the last events memory has.
func (s *Store) Recent() (n int) {
	s.state.Lock()
	defer s.state.Unlock()
	for _, slot := range s.state.memory.Recent.Ring {
		if slot.Event != nil {
			n++
		}
	}
	return n
}

// Paused returns how many pauses memory has.
func (s *Store) Paused() int {
	s.state.Lock()
	defer s.state.Unlock()
	return s.state.memory.Schedule.Postponed()
}

// Numbers returns of how many subscriptions memory knows the number.
func (s *Store) Numbers() int {
	s.state.Lock()
	defer s.state.Unlock()
	return s.state.memory.Numbers()
}

// Reads returns how many transactions have read from the file.
func (s *Store) Reads() int { return s.db.file.DB().Stats().TxN }

// Overrides returns how many body overrides the file has.
func (s *Store) Overrides() (n int) {
	_ = s.db.read(context.Background(), func(t *txn.Tx) error {
		n = t.Bucket(txn.BucketBodies).Stats().KeyN
		return nil
	})
	return n
}

// Counts returns how many buckets of counts memory has, and how many the file.
func (s *Store) Counts() (memory, file int) {
	memory, _ = s.counts.buffer.Len()
	_ = s.db.read(context.Background(), func(t *txn.Tx) error {
		// Without those of all, of which there is one beside those of subscriptions.
		return t.Bucket(txn.BucketCounts).ForEach(func(k, _ []byte) error {
			if record.KeyNumber(k, 1) != rollup.All {
				file++
			}
			return nil
		})
	})
	return memory, file
}

// Rows returns how many deliveries have a row.
func (s *Store) Rows() (n int) {
	_ = s.db.read(context.Background(), func(t *txn.Tx) error {
		n = t.Bucket(txn.BucketRows).Stats().KeyN
		return nil
	})
	return n
}

// Listed returns how many records listings have looked at.
func (s *Store) Listed() int { return int(s.lists.looked.Load()) }

// TakeTurns takes all turns of long reads, until giveBack is called.
func (s *Store) TakeTurns() (giveBack func()) {
	for range cap(s.db.turns) {
		s.db.turns <- struct{}{}
	}
	return func() {
		for range cap(s.db.turns) {
			s.db.turns.end()
		}
	}
}

// Looked returns how many events and deliveries Prune has looked at.
func (s *Store) Looked() int {
	s.state.Lock()
	defer s.state.Unlock()
	return s.state.memory.Maintenance.Looked
}

// Events returns how many events are in the file.
func (s *Store) Events() (n int) {
	_ = s.db.read(context.Background(), func(t *txn.Tx) error {
		n = t.Bucket(txn.BucketEvents).Stats().KeyN
		return nil
	})
	return n
}

// MaxCached is maxCached.
const MaxCached = txn.MaxCached

// Leased returns how many leases count against the limits of Claim.
func (s *Store) Leased() (n int) {
	s.state.Lock()
	defer s.state.Unlock()
	byClass, _ := s.state.memory.Schedule.Counted()
	for _, of := range byClass {
		n += of
	}
	return n
}

// AskedByStats returns of how many subscriptions Stats would have to read what is oldest.
func (s *Store) AskedByStats() int {
	s.state.Lock()
	defer s.state.Unlock()
	_, ask := s.state.memory.CountPending(new(store.Stats), 0)
	return len(ask)
}
