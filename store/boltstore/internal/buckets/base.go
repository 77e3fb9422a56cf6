package buckets

import (
	"bytes"
	"fmt"
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/record"

	bolt "go.etcd.io/bbolt"
)

// base is what all parts of a transaction share: the buckets, the time, and the effects.
type base struct {
	Settings *Settings  // of the store; not changed after it was opened
	writer   *Writer    // nil in a transaction that only reads
	Bolt     *bolt.Tx   // bbolt's own; begun and ended by the store
	Now      int64      // the store's clock when the transaction began
	Log      effect.Log // what memory must learn, in order

	// Those that were used, nil for the others: finding one by its name is a search.
	open [bucketCount]*bolt.Bucket
	seek [bucketCount]*bolt.Cursor // for get: a cursor that is used again allocates nothing
	key  []byte                    // for get, likewise: bbolt makes a key that it is given escape
	// Counts what was written, or is to be when the transaction ends.
	changes int // see Try and NeedsCommit
}

// Bucket returns one of the store's buckets. It panics if the bucket is gone; callers run in a
// guard, so that is an error of the file.
func (f *base) Bucket(id Bucket) *bolt.Bucket {
	b := f.open[id]
	if b == nil {
		if b = f.Bolt.Bucket(f.Settings.Buckets[id]); b == nil {
			// Becomes ErrCorrupt, like bbolt's own panics.
			panic(fmt.Sprintf("the bucket %q is gone", f.Settings.Buckets[id]))
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

// Remove deletes a key, if it is there.
func (f *base) Remove(id Bucket, key []byte) error {
	f.changes++
	return f.Bucket(id).Delete(key)
}

// nextSequence returns the next number of a bucket. Numbers begin with 1 and are never given out
// twice, so 0 can stand for none everywhere.
func (f *base) nextSequence(id Bucket) (uint64, error) {
	f.changes++
	return f.Bucket(id).NextSequence()
}

// NextSeq returns the next sequence number of the events. Marks, erasures and requeues take theirs
// from the same sequence: so one comparison tells which of them and of the events came first.
func (f *base) NextSeq() (uint64, error) { return f.nextSequence(Events) }

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
		return 0, fmt.Errorf("%s: %w", Names[id], err)
	}
	return n, nil
}

// MetaNumber returns a number of the bucket meta; 0 if it is not there.
func (f *base) MetaNumber(name string) (uint64, error) { return f.number(Meta, []byte(name)) }

// PutMetaNumber stores a number in the bucket meta.
func (f *base) PutMetaNumber(name string, n uint64) error {
	return f.putNumber(Meta, []byte(name), n)
}

// putOrRemove stores what encode returns, or removes the key if the record is empty.
func (f *base) putOrRemove(id Bucket, key []byte, empty bool,
	encode func(key []byte) []byte) error {
	if empty {
		return f.Remove(id, key)
	}
	return f.put(id, key, encode(key))
}

// Try runs one of several operations of the transaction. If it fails its effects are dropped. The
// transaction is intact unless the operation failed after it had written. If it was intact, the
// others of the transaction can go on; otherwise they must run again in a new one, without the one
// that failed.
func (f *base) Try(run func() error) (intact bool, err error) {
	effects, changes := f.Log.Len(), f.changes
	if err = run(); err != nil {
		f.Log.Truncate(effects)
	}
	return err == nil || f.changes == changes, err
}

// NeedsCommit reports whether there is something to commit.
func (f *base) NeedsCommit() bool { return f.changes > 0 || f.Log.Len() > 0 }

// SliceTime bounds how long one step of a long read lasts, in nanoseconds: bbolt reuses no page
// that was freed since the oldest open transaction began, and those who write need the processor.
const SliceTime = int64(500 * time.Microsecond)

// IsSlow reports whether the transaction has lasted as long as a step of a long read may.
func (f *base) IsSlow() bool { return f.Settings.Now()-f.Now > SliceTime }
