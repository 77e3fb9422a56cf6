package pending

import (
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// Spill packs implicit deliveries of a subscription into chunks, and returns those that it has
// packed. seqs are what memory lists as implicit up to where the watermark is rising, in ascending
// order; the caller gives the list away. known is what memory knows of the backlog, in case the
// record can't be read.
//
// It must come after the operations of the transaction: they may have given deliveries a row that
// memory still lists as implicit.
func (s *Set) Spill(num uint64, seqs []uint64, known record.Backlog) ([]uint64, error) {
	written := s.writtenOf(num)
	seqs = slices.DeleteFunc(seqs, func(seq uint64) bool {
		_, has := slices.BinarySearch(written, seq)
		return has
	})
	if len(seqs) == 0 {
		return nil, nil
	}
	b, err := s.Backlogs.Edit(num)
	if err != nil {
		// The watermark rises for all subscriptions at once, so one damaged record would stop it.
		// Memory has the same backlog, and writing it repairs the record.
		b = &known
		s.Backlogs.Set(num, b)
	}
	// Before the chunks: a reader looks for one only if the backlog says that there may be one.
	b.Chunks = true
	for _, seq := range seqs {
		if record.CanceledBy(b.Marks, seq) == nil {
			b.Pending++
		}
	}
	// New chunks, never more events in an old one: that would write the old one's page again.
	for chunk := range slices.Chunk(seqs, record.MaxChunk) {
		if err := s.Chunks.put(num, chunk); err != nil {
			return nil, err
		}
	}
	return seqs, nil
}

// writtenOf returns the events of the deliveries of a subscription that got a row in this
// transaction, in ascending order.
func (s *Set) writtenOf(num uint64) []uint64 {
	if !s.writtenSorted {
		slices.SortFunc(s.written, ID.Compare)
		s.writtenSorted = true
	}
	from, _ := slices.BinarySearchFunc(s.written, ID{num, 0}, ID.Compare)
	var seqs []uint64
	for _, id := range s.written[from:] {
		if id.Num != num {
			break
		}
		seqs = append(seqs, id.Seq)
	}
	return seqs
}

// Trim removes at most n chunks of a subscription that are wholly below the event floor: nothing in
// them is pending any more. It does nothing for a subscription that has marks, since a purge still
// needs its chunks.
func (s *Set) Trim(num, floor uint64, n int) error {
	if b, err := s.Backlogs.Get(num); err != nil || len(b.Marks) > 0 {
		return nil // without its backlog a subscription keeps its chunks, which is safe
	}
	none, err := s.Chunks.removeBelow(num, floor, n)
	if err != nil || !none {
		return err
	}
	b, err := s.Backlogs.Edit(num)
	if err != nil {
		return err
	}
	b.Chunks = false
	return nil
}
