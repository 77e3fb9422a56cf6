package boltfile

import (
	"bytes"
	"iter"

	bolt "go.etcd.io/bbolt"
)

// Every backward step over the keys of a bucket is taken here, because bbolt's own go wrong once
// the transaction has deleted keys. A delete leaves a page empty until the commit, and then
// Cursor.Prev returns nil at an empty page although there are keys before it, and Cursor.Last does
// not return if all pages are empty. Forward steps (First, Seek, Next) skip empty pages.
// docs/decisions/bbolt-cursor-after-deletes.md has the details.

// LastBetween moves the cursor to the last key that is not below low and is below high, and returns
// it; nil if there is none. A nil high means no upper bound. Key and value are the file's memory,
// valid until the transaction ends or writes to the bucket.
//
// It is right no matter what the transaction has deleted: it goes back only once Seek has shown
// that there is a key to find, so going back ends there.
func LastBetween(c *bolt.Cursor, low, high []byte) (k, v []byte) {
	if k, _ = c.Seek(low); k == nil || high != nil && bytes.Compare(k, high) >= 0 {
		return nil, nil
	}
	if high == nil {
		return c.Last()
	}
	if k, _ = c.Seek(high); k == nil {
		// The cursor stands somewhere at the end. Last starts afresh, and there is a key, so it
		// returns.
		return c.Last()
	}
	for k = nil; k == nil; {
		k, v = c.Prev() // nil at each empty page on the way
	}
	return k, v
}

// Descend iterates over the keys that are not below low and are below high, from the last to the
// first. A nil high means no upper bound.
//
// In a transaction that writes, each step searches for its key, so the loop may write to the
// bucket.
func Descend(c *bolt.Cursor, low, high []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		k, v := LastBetween(c, low, high)
		for k != nil && bytes.Compare(k, low) >= 0 && yield(k, v) {
			if c.Bucket().Writable() {
				k, v = LastBetween(c, low, k)
			} else {
				k, v = c.Prev() // nothing is ever deleted here
			}
		}
	}
}
