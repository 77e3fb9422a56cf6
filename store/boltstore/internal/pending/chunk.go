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

// ChunksFrom iterates over the chunks of a subscription that may have events from seq on, in
// ascending order.
func (s *Set) ChunksFrom(num, seq uint64) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		c := s.buckets.Cursor(Chunks)
		for k, v := s.seekChunk(c, num, seq); record.InSubscription(k, num) && yield(k, v); {
			k, v = c.Next()
		}
	}
}

// seekChunk moves a cursor over Chunks to the last chunk of the subscription that begins at seq or
// before, or else to the first after, and returns it; nil if there is neither.
func (s *Set) seekChunk(c Cursor, num, seq uint64) (k, v []byte) {
	low, high := record.Key2(num, 0), record.Key2(num, seq+1)
	s.low, s.key = append(s.low[:0], low[:]...), append(s.key[:0], high[:]...)
	if k, v = c.LastBetween(s.low, s.key); k != nil {
		return k, v
	}
	if k, v = c.Seek(s.key); record.InSubscription(k, num) {
		return k, v
	}
	return nil, nil
}

// Packed reports whether a pending delivery that has no row is in a chunk. Otherwise it is
// implicit.
func (s *Set) Packed(num, seq uint64) (bool, error) {
	if seq <= s.Watermark || seq > s.Rising {
		return seq <= s.Watermark, nil
	}
	_, ok, err := s.inChunk(num, seq)
	return ok, err
}

// inChunk reports whether a chunk of the subscription has the event, and returns the chunk's key.
func (s *Set) inChunk(num, seq uint64) (key []byte, ok bool, err error) {
	chunk := s.chunks[num]
	if !chunk.spans(num, seq) {
		k, v := s.seekChunk(s.buckets.Cursor(Chunks), num, seq)
		if k == nil || record.KeyNumber(k, 1) > seq {
			return nil, false, nil
		}
		seqs, err := record.DecodeChunk(k, v)
		if err != nil {
			return nil, false, err
		}
		chunk = decodedChunk{bytes.Clone(k), seqs}
		if s.chunks == nil || len(s.chunks) >= maxDecoded {
			s.chunks = make(map[uint64]decodedChunk)
		}
		s.chunks[num] = chunk // until a chunk is written
	}
	_, ok = slices.BinarySearch(chunk.seqs, seq)
	return chunk.key, ok, nil
}

// InChunk reports whether a chunk of the subscription has the event.
func (s *Set) InChunk(num, seq uint64) (bool, error) {
	_, ok, err := s.inChunk(num, seq)
	return ok, err
}

// leaveChunk takes a delivery out of its chunk, if it is in one.
func (s *Set) leaveChunk(id ID) error {
	k, ok, err := s.inChunk(id.Num, id.Seq)
	if err != nil || !ok {
		return err
	}
	seqs, err := record.DecodeChunk(k, s.get(Chunks, k))
	if err != nil {
		return err
	}
	seqs = slices.DeleteFunc(seqs, func(seq uint64) bool { return seq == id.Seq })
	return s.RewriteChunk(k, seqs)
}

// RewriteChunk replaces the chunk under a key by one of the given events, which may be none.
func (s *Set) RewriteChunk(key []byte, seqs []uint64) error {
	// The key says what the first event is, so a chunk that loses it moves.
	if err := s.remove(Chunks, key); err != nil || len(seqs) == 0 {
		return err
	}
	return s.putChunk(record.KeyNumber(key, 0), seqs)
}

func (s *Set) putChunk(num uint64, seqs []uint64) error {
	key := record.Key2(num, seqs[0])
	return s.put(Chunks, key[:], record.EncodeChunk(key[:], seqs))
}

// FirstChunk returns the first chunk of a subscription, and a copy of its key; nil if there is
// none. With an error, the key is of the chunk that can't be read.
func (s *Set) FirstChunk(num uint64) (key []byte, seqs []uint64, err error) {
	start := record.Key1(num)
	k, v := s.seek(s.buckets.Cursor(Chunks), start[:])
	if !record.InSubscription(k, num) {
		return nil, nil, nil
	}
	seqs, err = record.DecodeChunk(k, v)
	return bytes.Clone(k), seqs, err
}

// RemoveChunk removes the chunk under a key.
func (s *Set) RemoveChunk(key []byte) error { return s.remove(Chunks, key) }

// Trim removes at most n chunks of a subscription that are wholly below the event floor: nothing in
// them is pending any more. It does nothing for a subscription that has marks, since a purge still
// needs its chunks.
func (s *Set) Trim(num, floor uint64, n int) error {
	if b, err := s.Backlog(num); err != nil || len(b.Marks) > 0 {
		return nil // one that can't be read keeps its chunks, which is safe
	}
	var done [][]byte
	c := s.buckets.Cursor(Chunks)
	start := record.Key2(num, 0)
	k, v := s.seek(c, start[:])
	for ; record.InSubscription(k, num) && len(done) < n; k, v = c.Next() {
		seqs, err := record.DecodeChunk(k, v)
		if err != nil || len(seqs) > 0 && seqs[len(seqs)-1] >= floor {
			break
		}
		done = append(done, bytes.Clone(k))
	}
	all := !record.InSubscription(k, num)
	for _, k := range done { // after the loop: the cursor is of no use once something is removed
		if err := s.remove(Chunks, k); err != nil {
			return err
		}
	}
	if !all {
		return nil
	}
	b, err := s.EditBacklog(num)
	if err != nil {
		return err
	}
	b.Chunks = false
	return nil
}
