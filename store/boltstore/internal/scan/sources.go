package scan

import (
	"iter"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// sources says where the deliveries of a subscription are read from, by the states that a query
// asks for. Rows have all that have a record; the index of states has those that are not delivered,
// by their state; chunks, and memory, have what is pending without a record.
type sources struct {
	rows    bool          // rows, and then no state
	states  []store.State // of the index
	pending bool          // chunks and memory
	// What is canceled is asked for, and what is pending is not: a mark or an erasure may have
	// canceled something whose records still say that it is pending.
	marked bool
}

func sourcesOf(q *store.DeliveryQuery) sources {
	if len(q.States) == 0 {
		return sources{rows: true, pending: true}
	}
	pending := slices.Contains(q.States, store.Pending)
	x := sources{pending: pending, marked: !pending && slices.Contains(q.States, store.Canceled)}
	if x.rows = slices.Contains(q.States, store.Delivered); x.rows {
		return x
	}
	for _, state := range store.States() {
		if slices.Contains(q.States, state) {
			x.states = append(x.states, state)
		}
	}
	return x
}

// of returns the sources for one subscription: marks, erasures and what has expired are rare.
func (x sources) of(t *txn.Tx, num uint64) (sources, error) {
	if !x.marked {
		return x, nil
	}
	b, err := t.Pending.Backlogs.Get(num)
	if err != nil {
		return x, err
	}
	erasures, err := t.Erasures.List()
	if err != nil {
		return x, err
	}
	if len(b.Marks) > 0 || len(erasures) > 0 || t.Expiries.Due() {
		x.pending = true
		if !x.rows {
			x.states = append(slices.Clone(x.states), store.Pending)
		}
	}
	return x, nil
}

// piece is what one source has next.
type piece struct {
	seqs []uint64
	more bool
}

// next returns the next events of a stream, from first on in the order of the walk, and whether
// there may be more. Some are in two sources, such as a delivery that has a row and stays listed in
// its chunk; they are compacted.
func (sl *DeliveryReader) next(s *Stream, first uint64) (seqs []uint64, more bool, err error) {
	x, err := sl.sources.of(sl.t, s.Num)
	if err != nil {
		return nil, false, err
	}
	pieces := make([]piece, 0, 4)
	if x.rows {
		key := record.Key1(s.Num)
		pieces = append(pieces, sl.keys(buckets.Rows, key[:], first, s.size))
	}
	for _, state := range x.states {
		key := record.Key2(s.Num, record.StateCode(state))
		pieces = append(pieces, sl.keys(buckets.States, key[:], first, s.size))
	}
	if x.pending {
		chunked, err := sl.chunked(s.Num, first, s.size)
		if err != nil {
			return nil, false, err
		}
		pieces = append(pieces, chunked, piece{s.Implicit, s.MoreImplicit})
	}
	seqs, more = sl.join(pieces)
	return seqs, more, nil
}

// join merges what the sources have. Where one of them stops short, the others may not go on: what
// is behind the last of it may be in it, and to go on there would pass over it.
func (sl *DeliveryReader) join(pieces []piece) (seqs []uint64, more bool) {
	// As a rule one source has all, and then there is nothing to merge or to copy.
	pieces = slices.DeleteFunc(pieces, func(p piece) bool { return len(p.seqs) == 0 })
	if len(pieces) == 1 {
		return pieces[0].seqs, pieces[0].more
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
	limit, limited := uint64(0), false
	for _, p := range pieces {
		if n := len(p.seqs); p.more && n > 0 {
			if last := p.seqs[n-1]; !limited || compare(last, limit) < 0 {
				limit, limited = last, true
			}
		}
		seqs = append(seqs, p.seqs...)
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
	return seqs, limited
}

// keys returns the next events of a bucket whose keys are a prefix and an event. It reads keys
// alone.
func (sl *DeliveryReader) keys(id buckets.Bucket, prefix []byte, first uint64, n int) (p piece) {
	from := first // of the keys, which rise while the listing falls
	if !sl.From.Back {
		from++
	}
	for k := range keysFrom(sl.t.Bucket(id).Cursor(), prefix, from, !sl.From.Back) {
		if len(p.seqs) == n {
			p.more = true
			return p
		}
		if p.seqs == nil {
			p.seqs = make([]uint64, 0, n)
		}
		p.seqs = append(p.seqs, record.KeyNumber(k[len(prefix):], 0))
	}
	return p
}

// chunked returns the next events that are in chunks, those that have a row included.
func (sl *DeliveryReader) chunked(num, first uint64, n int) (p piece, err error) {
	for k, v := range sl.chunksFrom(num, first) {
		// By whole chunks, so it may return up to a chunk more.
		if len(p.seqs) >= n {
			p.more = true
			return p, nil
		}
		chunk, err := record.DecodeChunk(k, v)
		if err != nil {
			return p, err
		}
		if !sl.From.Back {
			slices.Reverse(chunk)
		}
		for _, seq := range chunk {
			if sl.From.Back && seq >= first || !sl.From.Back && seq <= first {
				p.seqs = append(p.seqs, seq)
			}
		}
	}
	return p, nil
}

// chunksFrom iterates over the chunks that may have events from first on, in the direction of the
// walk.
func (sl *DeliveryReader) chunksFrom(num, first uint64) iter.Seq2[[]byte, []byte] {
	c := sl.t.Bucket(buckets.Chunks).Cursor()
	if !sl.From.Back { // that is from the newest on
		// A chunk's key has its first event, so one that begins behind first has nothing for us.
		low, high := record.Key2(num, 0), record.Key2(num, first+1)
		return boltfile.Descend(c, low[:], high[:])
	}
	return sl.t.Pending.Chunks.From(num, first)
}
