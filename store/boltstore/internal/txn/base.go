package txn

import (
	"bytes"
	"fmt"

	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/record"

	bolt "go.etcd.io/bbolt"
)

// Bucket names a bucket of the store.
type Bucket int

const (
	BucketMeta            Bucket = iota // names → what there is once, see the keys below
	BucketSubscriptions                 // number → subscription
	BucketSubscriptionIDs               // ID → number
	BucketTenants                       // tenant, number → nothing; tenant → how many
	// Tenant, pattern, number → since when, and whether disabled.
	BucketPatterns
	BucketEvents   // sequence number → event
	BucketEventIDs // ID, tenant → sequence number, see eventIDs
	BucketRows     // subscription, event → row
	// Subscription, state, event → nothing: rows that are not delivered.
	BucketStates
	// Subscription, due, event → nothing: rows that are pending and not blocked.
	BucketDue
	// Subscription, hash of the key, event → nothing: pending deliveries that have a key.
	BucketKeyed
	BucketChunks   // subscription, first event → events
	BucketBacklogs // subscription → backlog
	BucketHealth   // subscription → health
	BucketBodies   // subscription, event → the override of the delivery's body
	BucketCounts   // five minutes, subscription → what its attempts came to
	bucketCount
)

// BucketNames are the names of the buckets, without that of the store.
var BucketNames = [bucketCount]string{
	BucketMeta:            "meta",
	BucketSubscriptions:   "subscriptions",
	BucketSubscriptionIDs: "subscription_ids",
	BucketTenants:         "tenants",
	BucketPatterns:        "subscription_patterns",
	BucketEvents:          "events",
	BucketEventIDs:        "event_ids",
	BucketRows:            "deliveries",
	BucketStates:          "states",
	BucketDue:             "due",
	BucketKeyed:           "keyed",
	BucketChunks:          "chunks",
	BucketBacklogs:        "backlogs",
	BucketHealth:          "health",
	BucketBodies:          "bodies",
	BucketCounts:          "attempt_counts",
}

// BucketsOf returns what the buckets of a store are called in the file. They are beside each other,
// and not in one of the store's own, because a commit writes the page of a bucket that has others.
func BucketsOf(store string) *[bucketCount][]byte {
	names := new([bucketCount][]byte)
	for id, name := range BucketNames {
		names[id] = []byte(store + "/" + name)
	}
	return names
}

// The keys of meta.
const (
	MetaFormat    = "format"    // the version of all this
	metaWatermark = "watermark" // see package pending
	metaRising    = "rising"    // where the watermark is going, or is
	MetaCount     = "count"     // how many subscriptions there are
	metaClock     = "clock"     // how far the store's clock has come, see keepClock
	// The latest time of an event that one after it went below, see enqueueTime.
	metaSetBack   = "setback"
	metaIndexed   = "indexed"   // see eventIDs
	metaErasures  = "erasures"  // events that are being erased, see erasures
	MetaOrphans   = "orphans"   // 1 when there may be events whose subscriptions are all deleted
	metaUnsettled = "unsettled" // how many tenants have a state, see tenants.go
	metaCounts    = "counts"    // the number of the last batch of counts, see package rollup
	MetaCursors   = "cursors"   // the key of cursors, see Tx.CursorKey
)

// format is the version that this package reads and writes. A file of another version is refused
// and left as it is, see CheckFormat.
const format = 4

// fill is how full the pages of an append-only bucket are packed. It is bbolt's FillPercent: where
// a page that has become too full is split. bbolt's default of a half would leave every page of the
// events half empty, because those are only appended.
const fill = 0.95

// base is what all parts of a transaction share: the buckets, the time, and the effects.
type base struct {
	settings *Settings  // of the store; not changed after it was opened
	writer   *Writer    // nil in a transaction that only reads
	Tx       *bolt.Tx   // bbolt's own; begun and ended by the store
	Now      int64      // the store's clock when the transaction began
	effects  effect.Log // what memory must learn, in order

	// Those that were used, nil for the others: finding one by its name is a search.
	open [bucketCount]*bolt.Bucket
	seek [bucketCount]*bolt.Cursor // for get: a cursor that is used again allocates nothing
	key  []byte                    // for get, likewise: bbolt makes a key that it is given escape
	// Counts what was written, or is to be when the transaction ends.
	changes int // see Tx.Try and Tx.NeedsCommit
}

// Bucket returns one of the store's buckets. It panics if the bucket is gone; callers run in a
// guard, so that is an error of the file.
func (f *base) Bucket(id Bucket) *bolt.Bucket {
	b := f.open[id]
	if b == nil {
		if b = f.Tx.Bucket(f.settings.Buckets[id]); b == nil {
			// Becomes ErrCorrupt, like bbolt's own panics.
			panic(fmt.Sprintf("the bucket %q is gone", f.settings.Buckets[id]))
		}
		// bbolt does not store this, so it is set each time a bucket is opened.
		b.FillPercent = fill
		f.open[id] = b
	}
	return b
}

// Get returns the value of a key, nil if there is none. It is the file's memory. Writing to the
// bucket, or the end of the transaction, makes it invalid; copy what is to last.
func (f *base) Get(id Bucket, key []byte) []byte {
	c := f.seek[id]
	if c == nil {
		c = f.Bucket(id).Cursor()
		f.seek[id] = c
	}
	// Seek stops at the next key if there is none like this.
	f.key = append(f.key[:0], key...)
	if k, v := c.Seek(f.key); bytes.Equal(k, key) {
		return v
	}
	return nil
}

// put stores a value, which must stay as it is until the transaction ends: bbolt copies the key but
// keeps the value.
func (f *base) put(id Bucket, key, value []byte) error {
	// Before the write: one that fails halfway has changed something too, and the transaction must
	// not pass as intact.
	f.changes++
	return f.Bucket(id).Put(key, value)
}

// remove deletes a key, if it is there.
func (f *base) remove(id Bucket, key []byte) error {
	f.changes++
	return f.Bucket(id).Delete(key)
}

// nextSequence returns the next number of a bucket. Numbers begin with 1 and are never given out
// twice, so 0 can stand for none everywhere.
func (f *base) nextSequence(id Bucket) (uint64, error) {
	f.changes++
	return f.Bucket(id).NextSequence()
}

// nextSeq returns the next sequence number of the events. Marks, erasures and requeues take theirs
// from the same sequence: so one comparison tells which of them and of the events came first.
func (f *base) nextSeq() (uint64, error) { return f.nextSequence(BucketEvents) }

// putNumber and number store and read a value that is a number; a missing one is 0.
func (f *base) putNumber(id Bucket, key []byte, n uint64) error {
	return f.put(id, key, record.EncodeNumber(key, n))
}

func (f *base) number(id Bucket, key []byte) (uint64, error) {
	v := f.Get(id, key)
	if v == nil {
		return 0, nil
	}
	n, err := record.DecodeNumber(key, v)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", BucketNames[id], err)
	}
	return n, nil
}

// MetaNumber returns a number of the bucket meta; 0 if it is not there.
func (f *base) MetaNumber(name string) (uint64, error) { return f.number(BucketMeta, []byte(name)) }

// PutMetaNumber stores a number in the bucket meta.
func (f *base) PutMetaNumber(name string, n uint64) error {
	return f.putNumber(BucketMeta, []byte(name), n)
}

// putOrRemove stores what encode returns, or removes the key if the record is empty.
func (f *base) putOrRemove(id Bucket, key []byte, empty bool,
	encode func(key []byte) []byte) error {
	if empty {
		return f.remove(id, key)
	}
	return f.put(id, key, encode(key))
}
