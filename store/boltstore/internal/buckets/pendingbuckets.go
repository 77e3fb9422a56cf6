package buckets

import (
	"iter"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"

	bolt "go.etcd.io/bbolt"
)

// pendingBuckets is the file as package pending needs it. Package pending has an interface, so that
// its model test needs no bbolt; all writes go through base, which counts them.
type pendingBuckets struct{ *base }

// pendingIDs are the buckets of package pending.
var pendingIDs = [pending.BucketCount]Bucket{
	pending.Rows: Rows, pending.States: States, pending.Due: Due,
	pending.Keyed: Keyed, pending.Chunks: Chunks, pending.Backlogs: Backlogs,
	pending.Bodies: Bodies,
}

func (p pendingBuckets) Get(b pending.Bucket, key []byte) []byte {
	return p.base.Get(pendingIDs[b], key)
}

func (p pendingBuckets) Put(b pending.Bucket, key, value []byte) error {
	return p.put(pendingIDs[b], key, value)
}

func (p pendingBuckets) Delete(b pending.Bucket, key []byte) error {
	return p.Remove(pendingIDs[b], key)
}

func (p pendingBuckets) Cursor(b pending.Bucket) pending.Cursor {
	return pendingCursor{p.Bucket(pendingIDs[b]).Cursor()}
}

// pendingCursor steps back by boltfile alone: bbolt's own Last and Prev are wrong after deletes
// (docs/decisions/bbolt-cursor-after-deletes.md).
type pendingCursor struct{ *bolt.Cursor }

func (c pendingCursor) LastBetween(low, high []byte) (k, v []byte) {
	return boltfile.LastBetween(c.Cursor, low, high)
}

func (c pendingCursor) Descend(low, high []byte) iter.Seq2[[]byte, []byte] {
	return boltfile.Descend(c.Cursor, low, high)
}

// journal takes in what package pending has done. Its methods are called in the order of the
// writes, and so effects are in that order too.
type journal struct{ *base }

// DeliveryChanged makes an effect of a change.
func (j journal) DeliveryChanged(c pending.Change) {
	j.Log.AddDelivery(effect.DeliveryChanged{Change: c})
}

// BacklogEdited counts as a write: Flush is to write the backlog, so the transaction has to commit.
func (j journal) BacklogEdited() { j.changes++ }

// BacklogChanged makes an effect of a backlog that was written.
func (j journal) BacklogChanged(num uint64, b *record.Backlog) {
	j.Log.AddBacklog(effect.BacklogChanged{Num: num, Backlog: b})
}
