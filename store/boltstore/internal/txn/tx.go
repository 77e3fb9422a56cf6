package txn

import (
	"iter"
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"

	"github.com/outhook/outhook/store"
	bolt "go.etcd.io/bbolt"
)

// Tx is a transaction of the file, with what is read and written through it. What memory must learn
// of it once it is committed is in effects.
type Tx struct {
	base
	Pending    pending.Set
	Erasures   erasures
	Subs       subscriptions
	Recipients recipientIndex
	IDs        eventIDs
	Events     eventLog
	Counts     counts
}

// subscriptions reads and writes the records of subscriptions.
type subscriptions struct {
	*base
	recipients *recipientIndex

	byNum          map[uint64]*store.Subscription // nil for one that is not there
	idOf           map[uint64]string
	healths        map[uint64]store.Health // read, and written by flush if changed
	changedHealths map[uint64]bool
}

// recipientIndex finds the recipients of events.
type recipientIndex struct{ *base }

// eventIDs finds events by their IDs.
type eventIDs struct {
	*base
	longBody bool              // an event that the transaction stores has a long body
	tail     map[string]uint64 // the events that are not indexed, once they have been read
}

// eventLog reads the stored events.
type eventLog struct{ *base }

// pendingBuckets is the file as package pending needs it.
type pendingBuckets struct{ *base }

// pendingIDs are the buckets of package pending.
var pendingIDs = [pending.BucketCount]Bucket{
	pending.Rows: BucketRows, pending.Due: BucketDue, pending.Keyed: BucketKeyed,
	pending.Chunks: BucketChunks, pending.Backlogs: BucketBacklogs, pending.Bodies: BucketBodies,
}

func (p pendingBuckets) Get(b pending.Bucket, key []byte) []byte {
	return p.base.Get(pendingIDs[b], key)
}

func (p pendingBuckets) Put(b pending.Bucket, key, value []byte) error {
	return p.put(pendingIDs[b], key, value)
}

func (p pendingBuckets) Delete(b pending.Bucket, key []byte) error {
	return p.remove(pendingIDs[b], key)
}

func (p pendingBuckets) Cursor(b pending.Bucket) pending.Cursor {
	return pendingCursor{p.Bucket(pendingIDs[b]).Cursor()}
}

type pendingCursor struct{ *bolt.Cursor }

func (c pendingCursor) LastBetween(low, high []byte) (k, v []byte) {
	return boltfile.LastBetween(c.Cursor, low, high)
}

func (c pendingCursor) Descend(low, high []byte) iter.Seq2[[]byte, []byte] {
	return boltfile.Descend(c.Cursor, low, high)
}

// journal takes in what package pending has done.
type journal struct{ *base }

func (j journal) DeliveryChanged(c pending.Change) {
	j.effects.add(j.effects.changed.add(DeliveryChanged{c}))
}

func (j journal) BacklogEdited() { j.changes++ }

func (j journal) BacklogChanged(num uint64, b *record.Backlog) {
	j.effects.add(j.effects.backlogs.add(BacklogChanged{num, b}))
}

// Begin makes a Tx of a bbolt transaction. w is for one that writes.
func Begin(s *Settings, w *Writer, tx *bolt.Tx) (*Tx, error) {
	t := &Tx{base: base{settings: s, Tx: tx, Now: s.Now()}}
	if tx.Writable() {
		t.writer = w
	}
	t.Erasures.base = &t.base
	t.Recipients.base = &t.base
	t.Subs.base, t.Subs.recipients = &t.base, &t.Recipients
	t.IDs.base = &t.base
	t.Events.base = &t.base
	t.Counts.base, t.Counts.subs = &t.base, &t.Subs
	watermark, err := t.MetaNumber(metaWatermark)
	if err != nil {
		return nil, err
	}
	rising, err := t.MetaNumber(metaRising)
	if err != nil {
		return nil, err
	}
	t.Pending.Init(pendingBuckets{&t.base}, &t.Erasures, journal{&t.base}, watermark, rising)
	return t, nil
}

// sliceTime bounds how long one step of a long read lasts, in nanoseconds: bbolt reuses no page
// that was freed since the oldest open transaction began.
const sliceTime = int64(2 * time.Millisecond)

// IsSlow reports whether the transaction has lasted as long as a step of a long read may.
func (t *Tx) IsSlow() bool { return t.settings.Now()-t.Now > sliceTime }
