package boltseen

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/outhook/outhook/signing"
)

// The defaults of Options.
const (
	DefaultBucket = "outhook.seen"
	DefaultMax    = 1_000_000
	DefaultKeep   = signing.DefaultKeepSeen
)

// openTimeout is how long Open waits for another process that has the file.
const openTimeout = time.Second

// Options are the optional settings. nil and the zero value mean the defaults.
type Options struct {
	// Bucket is the name of the bucket that everything is in. A receiver of several senders, or of
	// several tenants of a sender, gives each a bucket, because their ids may be equal. If empty,
	// DefaultBucket.
	Bucket string

	// Max is how many ids are remembered; then the oldest is forgotten for each that comes. If not
	// positive, DefaultMax.
	Max int

	// Keep is how long an id is remembered. Give more time than the sender goes on trying. If not
	// positive, DefaultKeep.
	Keep time.Duration
}

// Seen is a signing.Seen in a bbolt file.
type Seen struct {
	db   *bbolt.DB
	own  bool // the file is ours to close
	o    Options
	mu   sync.Mutex
	next []*addition // what waits for the next transaction

	writing sync.Mutex // held by who writes; taken before mu, and never while mu is held
}

// addition is a call of Add.
type addition struct {
	id   string
	done bool
	err  error
}

var _ signing.Seen = (*Seen)(nil)

// Open opens the file, or makes it with mode 0600. The error says so if another process has it open
// for longer than a second. Close it at the end.
func Open(path string, o *Options) (*Seen, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: openTimeout})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("boltseen: open %s: it is in use by another process; stop that first",
			path)
	}
	if err != nil {
		return nil, fmt.Errorf("boltseen: open %s: %w", path, err)
	}
	s, err := New(db, o)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.own = true
	return s, nil
}

// New remembers in a bucket of the host's database, which it makes unless it is there. The database
// stays the host's to close.
func New(db *bbolt.DB, o *Options) (*Seen, error) {
	s := &Seen{db: db}
	if o != nil {
		s.o = *o
	}
	if s.o.Bucket == "" {
		s.o.Bucket = DefaultBucket
	}
	if s.o.Max <= 0 {
		s.o.Max = DefaultMax
	}
	if s.o.Keep <= 0 {
		s.o.Keep = DefaultKeep
	}
	err := db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte(s.o.Bucket))
		if err != nil {
			return err
		}
		for _, name := range [][]byte{bucketIDs, bucketOrder} {
			if _, err := b.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("boltseen: make the bucket %q: %w", s.o.Bucket, err)
	}
	return s, nil
}

// Close closes the file if Open has opened it, after what is being written.
func (s *Seen) Close() error {
	if !s.own {
		return nil
	}
	return s.db.Close()
}

// Has reports whether the id is remembered.
func (s *Seen) Has(_ context.Context, id string) (has bool, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		t, err := s.table(tx)
		if err == nil {
			has = t.has(id)
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("boltseen: has: %w", err)
	}
	return has, nil
}

// Add remembers an id, and returns when it is synced to disk. The id must have 1 to signing.MaxID
// bytes.
func (s *Seen) Add(_ context.Context, id string) error {
	if err := checkID(id); err != nil { // before it can spoil the transaction of others
		return err
	}
	a := &addition{id: id}
	s.mu.Lock()
	s.next = append(s.next, a)
	s.mu.Unlock()
	// The first to come writes what waits, its own included. Those that come while it writes wait
	// here, and the first of them writes for all: one sync for each transaction, not for each id.
	s.writing.Lock()
	defer s.writing.Unlock()
	if !a.done {
		s.write()
	}
	if a.err != nil {
		return fmt.Errorf("boltseen: add: %w", a.err)
	}
	return nil
}

// write stores what waits in one transaction. The caller holds s.writing.
func (s *Seen) write() {
	s.mu.Lock()
	all := s.next
	s.next = nil
	s.mu.Unlock()
	err := s.db.Update(func(tx *bbolt.Tx) error {
		for _, a := range all {
			if err := s.AddTx(tx, a.id); err != nil {
				return err
			}
		}
		return nil
	})
	for _, a := range all {
		a.done, a.err = true, err
	}
}

// AddTx remembers an id in a writable transaction of the database: if that is rolled back, nothing
// is remembered. The id must have 1 to signing.MaxID bytes.
func (s *Seen) AddTx(tx *bbolt.Tx, id string) error {
	if err := checkID(id); err != nil {
		return err
	}
	t, err := s.table(tx)
	if err != nil {
		return err
	}
	return t.add(id)
}

func checkID(id string) error {
	if id == "" || len(id) > signing.MaxID {
		return fmt.Errorf("boltseen: the id has %d bytes; it must have 1 to %d", len(id), signing.MaxID)
	}
	return nil
}

// table returns what a transaction remembers.
func (s *Seen) table(tx *bbolt.Tx) (*table, error) {
	b := tx.Bucket([]byte(s.o.Bucket))
	if b == nil || b.Bucket(bucketIDs) == nil || b.Bucket(bucketOrder) == nil {
		return nil, fmt.Errorf("the bucket %q is not in this database; it was removed since New",
			s.o.Bucket)
	}
	t := &table{ids: b.Bucket(bucketIDs), order: b.Bucket(bucketOrder), max: uint64(s.o.Max),
		keep: s.o.Keep, now: time.Now()}
	// Numbers go up, and so do the ids of senders that make UUIDs of version 7, as outhook does:
	// what is half a page behind the end is never added to again.
	t.ids.FillPercent, t.order.FillPercent = 0.9, 0.9
	return t, nil
}

// number is a number as the buckets have it: big-endian, so that keys sort by it.
func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
