package scan

import (
	"iter"
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
)

// The deliveries of one subscription are in three places: rows, chunks, and memory, which alone
// knows by subscription what is implicit. They are read together, a piece of each at a time.

// Edge returns the first event that can be on our way; ok is false if there is none.
func (sl *DeliveryReader) Edge() (seq uint64, ok bool) {
	seq = sl.From.At.Seq
	switch {
	case !sl.From.Back && sl.Num < sl.From.At.Num: // we have been there
		return seq - 1, seq > 0
	case sl.From.Back && sl.Num >= sl.From.At.Num:
		return seq + 1, true
	}
	return seq, true
}

// oneSubscription reads the deliveries of one subscription.
func (sl *DeliveryReader) oneSubscription() error {
	first, ok := sl.Edge()
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
		key := record.Key1(seq)
		v := sl.t.Get(txn.BucketEvents, key[:])
		if v == nil {
			sl.pass(page.Position{Seq: seq, Num: sl.Num})
			continue
		}
		e, err := record.DecodeEvent(key[:], v)
		if err != nil {
			return err
		}
		if sl.past(&e) {
			return nil
		}
		if err := sl.take(sl.Num, seq, &e); err != nil {
			return err
		}
	}
	sl.More = more
	return nil
}

// merge returns the next events of the subscription, in the order of the walk, and whether there
// may be more.
func (sl *DeliveryReader) merge(first uint64) (seqs []uint64, more bool, err error) {
	rows, rowsMore := sl.rows(first)
	chunked, chunkedMore, err := sl.chunked(first)
	if err != nil {
		return nil, false, err
	}
	compare := func(a, b uint64) int {
		if !sl.From.Back { // that is from the newest on
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
	}{{rows, rowsMore}, {chunked, chunkedMore}, {sl.Implicit, sl.MoreImplicit}} {
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
func (sl *DeliveryReader) rows(first uint64) (seqs []uint64, more bool) {
	key := record.Key1(sl.Num)
	from := first // of the keys, which rise while the listing falls
	if !sl.From.Back {
		from++
	}
	for k := range keysFrom(sl.t.Bucket(txn.BucketRows).Cursor(), key[:], from, !sl.From.Back) {
		if len(seqs) == SliceSize {
			return seqs, true
		}
		seqs = append(seqs, record.KeyNumber(k, 1))
	}
	return seqs, false
}

// chunked returns the next events that are in chunks, those that have a row included.
func (sl *DeliveryReader) chunked(first uint64) (seqs []uint64, more bool, err error) {
	for k, v := range sl.chunksFrom(first) {
		if len(seqs) >= SliceSize {
			return seqs, true, nil
		}
		chunk, err := record.DecodeChunk(k, v)
		if err != nil {
			return nil, false, err
		}
		if !sl.From.Back {
			slices.Reverse(chunk)
		}
		for _, seq := range chunk {
			if sl.From.Back && seq >= first || !sl.From.Back && seq <= first {
				seqs = append(seqs, seq)
			}
		}
	}
	return seqs, false, nil
}

// chunksFrom iterates over the chunks that may have events from first on, in the direction of the
// walk.
func (sl *DeliveryReader) chunksFrom(first uint64) iter.Seq2[[]byte, []byte] {
	c := sl.t.Bucket(txn.BucketChunks).Cursor()
	if !sl.From.Back { // that is from the newest on
		low, high := record.Key2(sl.Num, 0), record.Key2(sl.Num, first+1)
		return boltfile.Descend(c, low[:], high[:])
	}
	return sl.t.Pending.Chunks.From(sl.Num, first)
}
