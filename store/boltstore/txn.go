package boltstore

import (
	"bytes"
	"fmt"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"

	"github.com/outhook/outhook/store"
	bolt "go.etcd.io/bbolt"
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
	bodies                     // subscription, event → the delivery's own body
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
	metaErasures  = "erasures"  // events that are being erased, see erasures.go
	metaOrphans   = "orphans"   // 1 when there may be events whose subscriptions are all deleted
)

// format is the version that this package reads and writes.
const format = 1

// fill is how full the pages of an append-only bucket are packed.
const fill = 0.95

// txn is a transaction of the file, with what is read and written through it. What memory must learn of
// it once it is committed is in effects.
type txn struct {
	file
	writer   *writer // nil in one that only reads
	now      int64
	pending  pending.Set
	erasures erasures
	effects  effects

	healths        map[uint64]record.Health       // read, and to be written when changed
	subs           map[uint64]*store.Subscription // nil for one that is not there
	ids            map[uint64]string              // of subscriptions
	changedHealths map[uint64]bool
	counted        []counted // attempts that were recorded
	tallying       bool      // counts are to be written

	longBody bool              // an event that it stores has a long body
	tail     map[string]uint64 // the events that are not indexed, once they have been read
}

// begin wraps a bbolt transaction.
func (s *Store) begin(tx *bolt.Tx) (*txn, error) {
	t := &txn{file: file{settings: &s.settings, tx: tx}, now: s.now()}
	t.erasures.file = &t.file
	if tx.Writable() {
		t.writer = &s.writer
	}
	watermark, err := t.metaNumber(metaWatermark)
	if err != nil {
		return nil, err
	}
	rising, err := t.metaNumber(metaRising)
	if err != nil {
		return nil, err
	}
	t.pending.Init(pendingBuckets{&t.file}, &t.erasures, journal{t}, watermark, rising)
	return t, nil
}

// pendingBuckets is the file as package pending needs it.
type pendingBuckets struct{ *file }

// pendingIDs are the buckets of package pending.
var pendingIDs = [pending.BucketCount]bucketID{
	pending.Rows: deliveries, pending.Due: index, pending.Keyed: keyed,
	pending.Chunks: chunks, pending.Backlogs: backlogs, pending.Bodies: bodies,
}

func (p pendingBuckets) Get(b pending.Bucket, key []byte) []byte { return p.get(pendingIDs[b], key) }

func (p pendingBuckets) Put(b pending.Bucket, key, value []byte) error {
	return p.put(pendingIDs[b], key, value)
}

func (p pendingBuckets) Delete(b pending.Bucket, key []byte) error {
	return p.remove(pendingIDs[b], key)
}

func (p pendingBuckets) Cursor(b pending.Bucket) pending.Cursor {
	return pendingCursor{p.bucket(pendingIDs[b]).Cursor()}
}

type pendingCursor struct{ *bolt.Cursor }

func (c pendingCursor) LastBetween(low, high []byte) (k, v []byte) {
	return boltfile.LastBetween(c.Cursor, low, high)
}

// journal takes in what package pending has done.
type journal struct{ *txn }

func (j journal) DeliveryChanged(c pending.Change) {
	j.effects.add(j.effects.changed.add(deliveryChanged{c}))
}

func (j journal) BacklogEdited() { j.changes++ }

func (j journal) BacklogChanged(num uint64, b *record.Backlog) {
	j.effects.add(j.effects.backlogs.add(backlogChanged{num, b}))
}

// file is the buckets of a transaction.
type file struct {
	settings *settings
	tx       *bolt.Tx
	open     [bucketCount]*bolt.Bucket
	seek     [bucketCount]*bolt.Cursor // for get: a cursor that is used again allocates nothing
	changes  int                       // counts what was written, or is to be when the transaction ends
}

// bucket returns one of the store's buckets.
func (f *file) bucket(id bucketID) *bolt.Bucket {
	b := f.open[id]
	if b == nil {
		if b = f.tx.Bucket(f.settings.buckets[id]); b == nil {
			panic(fmt.Sprintf("the bucket %q is gone", f.settings.buckets[id])) // becomes ErrCorrupt, like bbolt's own panics
		}
		b.FillPercent = fill
		f.open[id] = b
	}
	return b
}

// get returns the value of a key, nil when there is none. It is the file's memory.
func (f *file) get(id bucketID, key []byte) []byte {
	c := f.seek[id]
	if c == nil {
		c = f.bucket(id).Cursor()
		f.seek[id] = c
	}
	if k, v := c.Seek(key); bytes.Equal(k, key) {
		return v
	}
	return nil
}

// put stores a value, which must stay as it is.
func (f *file) put(id bucketID, key, value []byte) error {
	f.changes++
	return f.bucket(id).Put(key, value)
}

// remove deletes a key, if it is there.
func (f *file) remove(id bucketID, key []byte) error {
	f.changes++
	return f.bucket(id).Delete(key)
}

// nextSequence returns the next number of a bucket.
func (f *file) nextSequence(id bucketID) (uint64, error) {
	f.changes++
	return f.bucket(id).NextSequence()
}

// nextSeq returns the next sequence number of the events.
func (f *file) nextSeq() (uint64, error) { return f.nextSequence(log) }
