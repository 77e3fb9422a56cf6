package boltstore

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/asking"
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
	_ = s.db.Bolt().Update(func(*bolt.Tx) error {
		s.db.Intercept = f
		return errors.New("there is nothing to write")
	})
}

// Read calls f in a transaction that only reads.
func (s *Store) Read(ctx context.Context, f func() error) error {
	return s.db.Read(ctx, func(*txn.Tx) error { return f() })
}

// DB returns the store's database.
func (s *Store) DB() *bolt.DB { return s.db.Bolt() }

// SetFormat changes the format version of the file.
func (s *Store) SetFormat(version uint64) error {
	return s.db.Write(context.Background(), func(t *txn.Tx) error {
		return t.PutMetaNumber(buckets.MetaFormat, version)
	})
}

// Fresh returns how many fresh deliveries memory has.
func (s *Store) Fresh() (n int) {
	s.db.Lock()
	defer s.db.Unlock()
	s.db.Memory.Schedule.Subs(func(q *memory.Queue) { n += len(q.Inspect().Implicit) })
	return n
}

// Damage flips a bit of the first record of a bucket, or of the last one of counts, since the first
// has those of all. It is false if there is none.
func (s *Store) Damage(bucket string) bool {
	found := false
	err := s.db.Bolt().Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(buckets.NamesOf(DefaultName)[slices.Index(buckets.Names[:], bucket)])
		k, v := b.Cursor().First()
		if bucket == buckets.Names[buckets.Counts] {
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
	s.db.Lock()
	defer s.db.Unlock()
	for _, slot := range s.db.Memory.Recent.Ring {
		if slot.Event != nil {
			n++
		}
	}
	return n
}

// Paused returns how many pauses memory has.
func (s *Store) Paused() int {
	s.db.Lock()
	defer s.db.Unlock()
	return s.db.Memory.Schedule.Postponed()
}

// Numbers returns of how many subscriptions memory knows the number.
func (s *Store) Numbers() int {
	s.db.Lock()
	defer s.db.Unlock()
	return s.db.Memory.Numbers()
}

// Reads returns how many transactions have read from the file.
func (s *Store) Reads() int { return s.db.Bolt().Stats().TxN }

// Overrides returns how many body overrides the file has.
func (s *Store) Overrides() (n int) {
	_ = s.db.Read(context.Background(), func(t *txn.Tx) error {
		n = t.Bucket(buckets.Bodies).Stats().KeyN
		return nil
	})
	return n
}

// Counts returns how many buckets of counts memory has, and how many the file.
func (s *Store) Counts() (memory, file int) {
	memory, _ = s.db.Memory.Counts.Len()
	_ = s.db.Read(context.Background(), func(t *txn.Tx) error {
		// Without those of all, of which there is one beside those of subscriptions.
		return t.Bucket(buckets.Counts).ForEach(func(k, _ []byte) error {
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
	_ = s.db.Read(context.Background(), func(t *txn.Tx) error {
		n = t.Bucket(buckets.Rows).Stats().KeyN
		return nil
	})
	return n
}

// Listed returns how many records listings have looked at.
func (s *Store) Listed() int { return int(s.lists.Looked.Load()) }

// TakeTurns takes all turns of long reads, until release is called.
func (s *Store) TakeTurns() (release func()) {
	n := s.db.Turns.Len()
	for range n {
		_ = s.db.Turns.Take(context.Background())
	}
	return func() {
		for range n {
			s.db.Turns.End()
		}
	}
}

// Looked returns how many events and deliveries Prune has looked at.
func (s *Store) Looked() int {
	s.db.Lock()
	defer s.db.Unlock()
	return s.db.Memory.Maintenance.Looked
}

// Events returns how many events are in the file.
func (s *Store) Events() (n int) {
	_ = s.db.Read(context.Background(), func(t *txn.Tx) error {
		n = t.Bucket(buckets.Events).Stats().KeyN
		return nil
	})
	return n
}

// MaxCached is maxCached.
const MaxCached = buckets.MaxCached

// Leased returns how many leases count against the limits of Claim.
func (s *Store) Leased() (n int) {
	s.db.Lock()
	defer s.db.Unlock()
	byClass, _ := s.db.Memory.Schedule.Counted()
	for _, of := range byClass {
		n += of
	}
	return n
}

// AskedByStats returns of how many subscriptions Stats would have to read what is oldest.
func (s *Store) AskedByStats() int {
	s.db.Lock()
	defer s.db.Unlock()
	_, ask := s.db.Memory.CountPending(new(store.Stats), 0)
	return len(ask)
}

// TryEnqueue is Enqueue without a filter that was asked before.
func (s *Store) TryEnqueue(ctx context.Context, evs ...events.Event) error {
	built, err := record.NewEvents(evs)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(t *txn.Tx) error {
		return t.Enqueue(built, make([]asking.Answers, len(built)))
	})
}
