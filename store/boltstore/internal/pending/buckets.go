package pending

import (
	"iter"

	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// Bucket names one of the buckets that say what is pending.
type Bucket int

// The buckets, with their keys and values.
const (
	Rows     Bucket = iota // subscription, event → row
	States                 // subscription, state, event → nothing: rows that are not delivered
	Due                    // subscription, due, event → nothing: rows that may be claimed when due
	Keyed                  // subscription, hash of the ordering key, event → nothing
	Chunks                 // subscription, first event → events
	Backlogs               // subscription → backlog
	Bodies                 // subscription, event → the body that overrides the event's
	BucketCount
)

// Buckets are ordered by their keys. What they return is valid until something is written to the
// bucket.
type Buckets interface {
	// Get returns the value of a key; nil if there is none.
	Get(b Bucket, key []byte) []byte
	// Put stores a value. It copies the key and keeps the value.
	Put(b Bucket, key, value []byte) error
	// Delete removes a key, if it is there.
	Delete(b Bucket, key []byte) error
	// Cursor returns a cursor over the bucket.
	Cursor(b Bucket) Cursor
}

// Cursor goes over the keys of a bucket in ascending order. It returns nil keys at the end, and is
// of no use after the bucket was written to.
type Cursor interface {
	// Seek moves to the first key that is not below a key.
	Seek(key []byte) (k, v []byte)
	// Next moves to the key after the present one.
	Next() (k, v []byte)
	// LastBetween moves to the last key that is not below low and is below high.
	LastBetween(low, high []byte) (k, v []byte)
	// Descend iterates over the keys that are not below low and are below high, in descending
	// order.
	Descend(low, high []byte) iter.Seq2[[]byte, []byte]
}

// Erasures knows the events that are being erased.
type Erasures interface {
	// Erasure returns the erasure of an event; nil if it is not being erased.
	Erasure(seq uint64) (*record.Erasure, error)
}

// Journal is told what memory must learn.
type Journal interface {
	// DeliveryChanged is called for each delivery whose row was written.
	DeliveryChanged(Change)
	// BacklogEdited is called when a backlog is about to change. It is written by Flush.
	BacklogEdited()
	// BacklogChanged is called by Flush for each backlog that it has written.
	BacklogChanged(num uint64, b *record.Backlog)
}
