package pending

import (
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/order"
)

// Newest returns the last pending deliveries of a subscription in the order of chunks or of first
// attempts, in ascending order. It looks at maxLooked at most: a probe is as good with another one.
func (s *Set) Newest(num uint64, source order.Source) []order.Position {
	r := s.window(num, order.Position{})
	if source == order.Packed {
		r.newestPacked()
	} else {
		r.newestFirst()
	}
	slices.Reverse(r.found)
	return r.found
}

// newestFirst reads first attempts from the last on.
func (r *windowReader) newestFirst() {
	low, high := record.Key3(r.num, 0, 0), record.Key3(r.num, 1, 0)
	for k := range r.set.buckets.Cursor(Due).Descend(low[:], high[:]) {
		if r.full() {
			return
		}
		seq := record.KeyNumber(k, 2)
		r.add(order.Position{Seq: seq}, r.rowPending(seq))
	}
}

// newestPacked passes over a chunk that can't be read, as packed does.
func (r *windowReader) newestPacked() {
	low, high := record.Key2(r.num, 0), record.Key2(r.num+1, 0)
	for k, v := range r.set.buckets.Cursor(Chunks).Descend(low[:], high[:]) {
		seqs, _ := record.DecodeChunk(k, v)
		for _, seq := range slices.Backward(seqs) {
			if r.full() {
				return
			}
			// In descending order a rowSeeker is of no use.
			key := record.Key2(r.num, seq)
			pending := r.set.get(Rows, key[:]) == nil && record.CanceledBy(r.marks, seq) == nil
			r.add(order.Position{Seq: seq}, pending)
		}
	}
}
