package boltstore

import (
	"iter"
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/internal/page"
)

// The deliveries of one subscription are in three places: rows, chunks, and memory, which alone
// knows by subscription what is fresh. They are read together, a piece of each at a time.

// sliceFresh gets what memory knows. It must come before the transaction: what is not fresh any
// more when that begins, it finds in the file.
func (s *Store) sliceFresh(sl *slicer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sl.fresh = nil
	if q := s.schedule.Sub(sl.num); q != nil {
		if first, ok := sl.edge(); ok && !sl.from.Back {
			sl.fresh = q.ImplicitDown(first, sliceSize)
		} else if ok {
			sl.fresh = q.ImplicitUp(first, sliceSize)
		}
	}
	sl.freshMore = len(sl.fresh) == sliceSize
}

// edge returns the first event that can be on our way; ok is false when there is none.
func (sl *slicer) edge() (seq uint64, ok bool) {
	seq = sl.from.At.Seq
	switch {
	case !sl.from.Back && sl.num < sl.from.At.Num: // we have been there
		return seq - 1, seq > 0
	case sl.from.Back && sl.num >= sl.from.At.Num:
		return seq + 1, true
	}
	return seq, true
}

// oneSubscription reads the deliveries of one subscription.
func (sl *slicer) oneSubscription() error {
	first, ok := sl.edge()
	if !ok {
		return nil
	}
	seqs, more, err := sl.merge(first)
	if err != nil {
		return err
	}
	for _, seq := range seqs {
		if sl.stop() {
			more = true
			break
		}
		key := key1(seq)
		v := sl.t.get(log, key[:])
		if v == nil {
			sl.pass(page.Position{Seq: seq, Num: sl.num})
			continue
		}
		e, err := decodeEvent(key[:], v)
		if err != nil {
			return err
		}
		if sl.past(&e) {
			return nil
		}
		if err := sl.look(sl.num, seq, &e); err != nil {
			return err
		}
	}
	sl.more = more
	return nil
}

// merge returns the next events of the subscription, in the order of the walk, and whether there
// may be more.
func (sl *slicer) merge(first uint64) (seqs []uint64, more bool, err error) {
	rows, rowsMore := sl.rows(first)
	chunked, chunkedMore, err := sl.chunked(first)
	if err != nil {
		return nil, false, err
	}
	compare := func(a, b uint64) int {
		if !sl.from.Back { // that is from the newest on
			a, b = b, a
		}
		switch {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	}
	// Where one source stops short, the others may not go on.
	limit, limited := uint64(0), false
	for _, src := range []struct {
		seqs []uint64
		more bool
	}{{rows, rowsMore}, {chunked, chunkedMore}, {sl.fresh, sl.freshMore}} {
		if n := len(src.seqs); src.more && n > 0 {
			if last := src.seqs[n-1]; !limited || compare(last, limit) < 0 {
				limit, limited = last, true
			}
		}
		seqs = append(seqs, src.seqs...)
	}
	slices.SortFunc(seqs, compare)
	seqs = slices.Compact(seqs)
	if limited {
		i, found := slices.BinarySearchFunc(seqs, limit, compare)
		if found {
			i++
		}
		seqs = seqs[:i]
	}
	return seqs, limited, nil
}

// rows returns the next events that have a row.
func (sl *slicer) rows(first uint64) (seqs []uint64, more bool) {
	key := key1(sl.num)
	from := first // of the keys, which rise while the listing falls
	if !sl.from.Back {
		from++
	}
	for k := range keysFrom(sl.t.bucket(deliveries).Cursor(), key[:], from, !sl.from.Back) {
		if len(seqs) == sliceSize {
			return seqs, true
		}
		seqs = append(seqs, number(k, 1))
	}
	return seqs, false
}

// chunked returns the next events that are in chunks, those that have a row included.
func (sl *slicer) chunked(first uint64) (seqs []uint64, more bool, err error) {
	for k, v := range sl.chunksFrom(first) {
		if len(seqs) >= sliceSize {
			return seqs, true, nil
		}
		chunk, err := decodeChunk(k, v)
		if err != nil {
			return nil, false, err
		}
		if !sl.from.Back {
			slices.Reverse(chunk)
		}
		for _, seq := range chunk {
			if sl.from.Back && seq >= first || !sl.from.Back && seq <= first {
				seqs = append(seqs, seq)
			}
		}
	}
	return seqs, false, nil
}

// chunksFrom iterates over the chunks that may have events from first on, in the direction of the
// walk.
func (sl *slicer) chunksFrom(first uint64) iter.Seq2[[]byte, []byte] {
	c := sl.t.bucket(chunks).Cursor()
	if !sl.from.Back { // that is from the newest on
		low, high := key2(sl.num, 0), key2(sl.num, first+1)
		return boltfile.Descend(c, low[:], high[:])
	}
	return func(yield func(k, v []byte) bool) {
		for k, v := seekChunk(c, sl.num, first); inSubscription(k, sl.num) && yield(k, v); {
			k, v = c.Next()
		}
	}
}
