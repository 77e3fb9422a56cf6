package pending

import (
	"bytes"
	"iter"
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// maxDecoded bounds the chunks that a Set keeps decoded.
const maxDecoded = 256

// decodedChunk is the chunk of a subscription that was looked at last. Callers seldom ask for one
// delivery alone: they go from event to event, for all recipients of each.
type decodedChunk struct {
	key  []byte
	seqs []uint64
}

// spans reports whether it is the subscription's chunk that has the event, if any has.
func (c *decodedChunk) spans(num, seq uint64) bool {
	n := len(c.seqs)
	return n > 0 && record.KeyNumber(c.key, 0) == num && c.seqs[0] <= seq && seq <= c.seqs[n-1]
}

// chunks reads and writes the chunks of subscriptions.
type chunks struct {
	*access
	// Of each subscription, the chunk that was looked at last. A write of any chunk empties it: the
	// decoded events would be those of a chunk that has changed, moved or gone.
	decoded map[uint64]decodedChunk
}

func (x *chunks) put(num uint64, seqs []uint64) error {
	clear(x.decoded)
	key := record.Key2(num, seqs[0])
	return x.access.put(Chunks, key[:], record.EncodeChunk(key[:], seqs))
}

// Remove removes the chunk under a key.
func (x *chunks) Remove(key []byte) error {
	clear(x.decoded)
	return x.remove(Chunks, key)
}

// From iterates over the chunks of a subscription that may have events from seq on, in ascending
// order.
func (x *chunks) From(num, seq uint64) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		c := x.buckets.Cursor(Chunks)
		for k, v := x.seekTo(c, num, seq); record.InSubscription(k, num) && yield(k, v); {
			k, v = c.Next()
		}
	}
}

// seekTo moves a cursor over Chunks to the last chunk of the subscription that begins at seq or
// before, or else to the first after, and returns it; nil if there is neither.
func (x *chunks) seekTo(c Cursor, num, seq uint64) (k, v []byte) {
	low, high := record.Key2(num, 0), record.Key2(num, seq+1)
	// A chunk's key has its first event alone, so the one that spans seq is the last that begins at
	// seq or below.
	if k, v = x.lastBetween(c, low[:], high[:]); k != nil {
		return k, v
	}
	if k, v = x.seek(c, high[:]); record.InSubscription(k, num) {
		return k, v
	}
	return nil, nil
}

// find reports whether a chunk of the subscription has the event, and returns the chunk's key.
func (x *chunks) find(num, seq uint64) (key []byte, ok bool, err error) {
	chunk := x.decoded[num]
	if !chunk.spans(num, seq) {
		k, v := x.seekTo(x.buckets.Cursor(Chunks), num, seq)
		if k == nil || record.KeyNumber(k, 1) > seq {
			return nil, false, nil
		}
		seqs, err := record.DecodeChunk(k, v)
		if err != nil {
			return nil, false, err
		}
		chunk = decodedChunk{bytes.Clone(k), seqs}
		if x.decoded == nil || len(x.decoded) >= maxDecoded {
			x.decoded = make(map[uint64]decodedChunk)
		}
		// One per subscription: callers go from event to event, for all recipients of each, so the
		// next look is in the same chunk of another subscription.
		x.decoded[num] = chunk // until a chunk is written
	}
	_, ok = slices.BinarySearch(chunk.seqs, seq)
	return chunk.key, ok, nil
}

// Has reports whether a chunk of the subscription has the event.
func (x *chunks) Has(num, seq uint64) (bool, error) {
	_, ok, err := x.find(num, seq)
	return ok, err
}

// takeOut takes a delivery out of its chunk, if it is in one.
func (x *chunks) takeOut(id ID) error {
	k, ok, err := x.find(id.Num, id.Seq)
	if err != nil || !ok {
		return err
	}
	seqs, err := record.DecodeChunk(k, x.get(Chunks, k))
	if err != nil {
		return err
	}
	seqs = slices.DeleteFunc(seqs, func(seq uint64) bool { return seq == id.Seq })
	return x.Rewrite(k, seqs)
}

// Rewrite replaces the chunk under a key by one of the given events, which may be none.
func (x *chunks) Rewrite(key []byte, seqs []uint64) error {
	// The key says what the first event is, so a chunk that loses it moves.
	if err := x.Remove(key); err != nil || len(seqs) == 0 {
		return err
	}
	return x.put(record.KeyNumber(key, 0), seqs)
}

// First returns the first chunk of a subscription, and a copy of its key; nil if there is
// none. With an error, the key is of the chunk that can't be read.
func (x *chunks) First(num uint64) (key []byte, seqs []uint64, err error) {
	start := record.Key1(num)
	k, v := x.seek(x.buckets.Cursor(Chunks), start[:])
	if !record.InSubscription(k, num) {
		return nil, nil, nil
	}
	seqs, err = record.DecodeChunk(k, v)
	return bytes.Clone(k), seqs, err
}

// removeBelow removes at most n chunks that are wholly below the event floor, and reports whether
// the subscription has none left. It keeps a chunk that can't be read, and all behind it.
func (x *chunks) removeBelow(num, floor uint64, n int) (none bool, err error) {
	var done [][]byte
	// Collected first and removed afterwards, since a removal moves what the cursor stands on.
	c := x.buckets.Cursor(Chunks)
	start := record.Key2(num, 0)
	k, v := x.seek(c, start[:])
	for ; record.InSubscription(k, num) && len(done) < n; k, v = c.Next() {
		seqs, err := record.DecodeChunk(k, v)
		if err != nil || len(seqs) > 0 && seqs[len(seqs)-1] >= floor {
			break
		}
		done = append(done, bytes.Clone(k))
	}
	none = !record.InSubscription(k, num)
	// After the loop: a cursor is of no use once something was removed.
	for _, k := range done {
		if err := x.Remove(k); err != nil {
			return false, err
		}
	}
	return none, nil
}
