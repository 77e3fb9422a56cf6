package boltstore

import (
	"bytes"
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/record"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	bolt "go.etcd.io/bbolt"
)

// A chunk is a list of events whose deliveries to one subscription are pending and have no row, of those below the
// watermark (see spill.go). It is stored under the subscription's number and the first event. As everywhere, a row
// counts more than a place in a chunk: nothing is written here when a delivery gets a row. A chunk goes when all of it
// have one.

// seekChunk moves the cursor to the last chunk of the subscription that begins at seq or before, or else to the first
// after, and returns it; nil when there is neither.
func seekChunk(c *bolt.Cursor, num, seq uint64) (k, v []byte) {
	low, high := record.Key2(num, 0), record.Key2(num, seq+1)
	if k, v = boltfile.LastBetween(c, low[:], high[:]); k != nil {
		return k, v
	}
	if k, v = c.Seek(high[:]); record.InSubscription(k, num) {
		return k, v
	}
	return nil, nil
}

// maxSeen bounds the chunks that a transaction keeps decoded.
const maxSeen = 256

// seenChunk is a chunk of a subscription that a transaction has looked at last. Those who ask seldom ask for one delivery
// alone: they go from event to event, for all subscriptions of each.
type seenChunk struct {
	key  []byte
	seqs []uint64
}

// spans reports whether it is the subscription's chunk that has the event, if any has.
func (c *seenChunk) spans(num, seq uint64) bool {
	n := len(c.seqs)
	return n > 0 && record.KeyNumber(c.key, 0) == num && c.seqs[0] <= seq && seq <= c.seqs[n-1]
}

// inChunk reports whether a chunk of the subscription has the event, and returns the chunk's key.
func (t *txn) inChunk(num, seq uint64) (key []byte, ok bool, err error) {
	seen := t.chunks[num]
	if !seen.spans(num, seq) {
		k, v := seekChunk(t.bucket(chunks).Cursor(), num, seq)
		if k == nil || record.KeyNumber(k, 1) > seq {
			return nil, false, nil
		}
		seqs, err := record.DecodeChunk(k, v)
		if err != nil {
			return nil, false, err
		}
		seen = seenChunk{bytes.Clone(k), seqs}
		t.keepChunk(num, seen)
	}
	_, ok = slices.BinarySearch(seen.seqs, seq)
	return seen.key, ok, nil
}

// keepChunk keeps a chunk decoded, until a chunk is written.
func (t *txn) keepChunk(num uint64, c seenChunk) {
	if t.chunks == nil || len(t.chunks) >= maxSeen {
		t.chunks = make(map[uint64]seenChunk)
	}
	t.chunks[num] = c
}

// leaveChunk takes the event out of its chunk, if it is in one: for a row that is to go.
func (t *txn) leaveChunk(num, seq uint64) error {
	k, ok, err := t.inChunk(num, seq)
	if err != nil || !ok {
		return err
	}
	seqs, err := record.DecodeChunk(k, t.get(chunks, k))
	if err != nil {
		return err
	}
	seqs = slices.DeleteFunc(seqs, func(s uint64) bool { return s == seq })
	return t.rewriteChunk(bytes.Clone(k), seqs)
}

// rewriteChunk replaces the chunk under the key by one of the given events, which may be none.
func (t *txn) rewriteChunk(key []byte, seqs []uint64) error {
	if err := t.remove(chunks, key); err != nil || len(seqs) == 0 {
		return err
	}
	return t.putChunk(record.KeyNumber(key, 0), seqs)
}

// putChunk stores a chunk.
func (t *txn) putChunk(num uint64, seqs []uint64) error {
	key := record.Key2(num, seqs[0])
	return t.put(chunks, key[:], record.EncodeChunk(key[:], seqs))
}
