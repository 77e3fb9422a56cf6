package boltstore

import (
	"bytes"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
)

// bucketID names a bucket of the store.
type bucketID int

const (
	meta       bucketID = iota // names → what there is once, see the keys below
	subs                       // number → subscription
	subIDs                     // ID → number
	tenants                    // tenant, number → nothing; tenant → how many
	wants                      // tenant, pattern, number → since when, and whether disabled
	log                        // sequence number → event
	eventIDs                   // ID → sequence number, see ids.go
	deliveries                 // subscription, event → row
	index                      // subscription, due, event → nothing: rows that are pending and not behind
	keyed                      // subscription, hash of the key, event → nothing: pending deliveries that have a key
	chunks                     // subscription, first event → events
	backlogs                   // subscription → backlog
	healths                    // subscription → health
	bodies                     // subscription, event → the override of the delivery's body
	counts                     // five minutes, subscription → what its attempts came to
	bucketCount
)

var bucketNames = [bucketCount]string{
	"meta", "subs", "subids", "tenants", "wants", "events", "ids", "deliveries", "due", "keyed", "chunks", "backlogs",
	"health", "bodies", "counts",
}

// bucketsOf returns what the buckets of a store are called in the file. They are beside each other, and not in one of the
// store's own, because a commit writes the page of a bucket that has others.
func bucketsOf(store string) *[bucketCount][]byte {
	names := new([bucketCount][]byte)
	for id, name := range bucketNames {
		names[id] = []byte(store + "/" + name)
	}
	return names
}

// The keys of meta.
const (
	metaFormat    = "format"    // the version of all this
	metaWatermark = "watermark" // see spill.go
	metaRising    = "rising"    // where the watermark is going, or is
	metaCount     = "count"     // how many subscriptions there are
	metaClock     = "clock"     // how far the store's clock has come, see clock.go
	metaSetBack   = "setback"   // the latest time of an event that one after it went below, see stamp
	metaIndexed   = "indexed"   // see ids.go
	metaCounts    = "counts"    // the version of the last batch of counts, see counts.go
	metaErasures  = "erasures"  // events that are being erased, see erasures.go
	metaOrphans   = "orphans"   // 1 when there may be events whose subscriptions are all deleted
)

// format is the version that this package reads and writes.
const format = 1

// fill is how full the pages of an append-only bucket are packed.
const fill = 0.95

// txn is a transaction of the file, with what is read and written through it. What hooks has is done once it is
// committed, under the store's mutex.
type txn struct {
	store *Store
	tx    *bolt.Tx
	open  [bucketCount]*bolt.Bucket
	seek  [bucketCount]*bolt.Cursor // for get: a cursor that is used again allocates nothing
	now   int64

	w      uint64 // the watermark
	rising uint64 // where it is going, or is

	backlogs map[uint64]*backlog // read, and to be written when changed
	healths  map[uint64]health
	subs     map[uint64]*store.Subscription // nil for one that is not there
	ids      map[uint64]string              // of subscriptions
	changed  struct{ backlogs, healths map[uint64]bool }
	counted  []counted            // attempts that were recorded
	flushing bool                 // counts are to be written
	rowed    []rowed              // deliveries that got a row
	chunks   map[uint64]seenChunk // of each subscription, the last that inChunk has looked at
	erasing  struct {             // see erasures.go
		all  []erasure
		read bool
	}

	longBody bool              // an event that it stores has a long body
	tail     map[string]uint64 // the events that are not indexed, once they have been read

	hooks []func()
	wrote bool // something; while an operation runs, that one (see runOp)
}

// rowed names a delivery.
type rowed struct{ num, seq uint64 }

// begin wraps a bbolt transaction.
func (s *Store) begin(tx *bolt.Tx) (*txn, error) {
	t := &txn{store: s, tx: tx, now: s.now()}
	var err error
	if t.w, err = t.metaNumber(metaWatermark); err == nil {
		t.rising, err = t.metaNumber(metaRising)
	}
	return t, err
}

// bucket returns one of the store's buckets.
func (t *txn) bucket(id bucketID) *bolt.Bucket {
	b := t.open[id]
	if b == nil {
		if b = t.tx.Bucket(t.store.buckets[id]); b == nil {
			panic(fmt.Sprintf("the bucket %q is gone", t.store.buckets[id])) // becomes ErrCorrupt, like bbolt's own panics
		}
		b.FillPercent = fill
		t.open[id] = b
	}
	return b
}

// get returns the value of a key, nil when there is none. It is the file's memory.
func (t *txn) get(id bucketID, key []byte) []byte {
	c := t.seek[id]
	if c == nil {
		c = t.bucket(id).Cursor()
		t.seek[id] = c
	}
	if k, v := c.Seek(key); bytes.Equal(k, key) {
		return v
	}
	return nil
}

// put stores a value, which must stay as it is.
func (t *txn) put(id bucketID, key, value []byte) error {
	t.touch(id)
	return t.bucket(id).Put(key, value)
}

// remove deletes a key, if it is there.
func (t *txn) remove(id bucketID, key []byte) error {
	t.touch(id)
	return t.bucket(id).Delete(key)
}

// touch notes that a bucket is written to.
func (t *txn) touch(id bucketID) {
	t.wrote = true
	if id == chunks {
		clear(t.chunks)
	}
}

// nextSeq returns the next sequence number.
func (t *txn) nextSeq() (uint64, error) {
	t.wrote = true
	return t.bucket(log).NextSequence()
}

// after lets f run when the transaction is committed, under the store's mutex.
func (t *txn) after(f func()) { t.hooks = append(t.hooks, f) }
