package pending

import (
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/order"
)

// maxOldest bounds the index entries that one call of OldestDue reads.
const maxOldest = 1 << 14

// OldestPacked returns the oldest pending event in the chunks of a subscription, or least if that
// is older; 0 is none. It reads until it finds one.
func (s *Set) OldestPacked(num, least uint64) (uint64, error) {
	b, err := s.Backlogs.Get(num)
	if err != nil {
		return 0, err
	}
	c := s.buckets.Cursor(Chunks)
	start := record.Key2(num, 0)
	for k, v := s.seek(c, start[:]); record.InSubscription(k, num); k, v = c.Next() {
		seqs, err := record.DecodeChunk(k, v)
		if err != nil {
			return 0, err
		}
		for _, seq := range seqs {
			if least != 0 && seq >= least {
				return least, nil
			}
			key := record.Key2(num, seq)
			if record.CanceledBy(b.Marks, seq) == nil && s.get(Rows, key[:]) == nil {
				return seq, nil
			}
		}
	}
	return least, nil
}

// OldestDue is OldestPacked for rows that are not blocked. It reads a part of the index of what is
// due, after a position, and returns where to go on if there is more. All must be read, since they
// are in order of their times; a blocked one need not, since the one that blocks it is older.
func (s *Set) OldestDue(
	num uint64, from order.Position, least uint64,
) (upTo order.Position, oldest uint64, more bool, err error) {
	b, err := s.Backlogs.Get(num)
	if err != nil {
		return from, 0, false, err
	}
	c := s.buckets.Cursor(Due)
	start := record.Key3(num, uint64(from.Due), from.Seq+1)
	n := 0
	for k, _ := s.seek(c, start[:]); record.InSubscription(k, num); k, _ = c.Next() {
		// With the position of the last that was read, so that the next call goes on behind it.
		if n++; n > maxOldest {
			return from, least, true, nil
		}
		from = order.Position{Due: int64(record.KeyNumber(k, 1)), Seq: record.KeyNumber(k, 2)}
		// It is not older, so its row need not be read.
		if least != 0 && from.Seq >= least {
			continue
		}
		if len(b.Marks) > 0 {
			if d, ok, err := s.Find(num, from.Seq, 0); err != nil || !ok || !d.Pending() {
				continue
			}
		}
		least = from.Seq
	}
	return from, least, false, nil
}
