package pending

import (
	"math"

	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule"
)

// The bounds of one Window: how many pending deliveries it returns, and how many it looks at.
const (
	MaxWindow = 64
	maxLooked = 512
)

// Window returns the next pending deliveries of a subscription in one of the orders in which the
// file has them, after a position: those of chunks and first attempts by their event, retries by
// when they are due. It does not return what is implicit, nor what is blocked.
func (s *Set) Window(
	num uint64, source order.Source, after order.Position,
) (schedule.LoadedWindow, error) {
	r := s.window(num, after)
	var complete bool
	var err error
	switch source {
	case order.Packed:
		complete = r.packed()
	case order.First:
		// First attempts are in the index with a due time of 0, so they are in the order of their
		// events, before all retries.
		start := record.Key3(num, 0, after.Seq+1)
		complete, err = r.due(start[:], func(p order.Position) bool { return p.Due == 0 })
	case order.Retry:
		start := record.Key3(num, uint64(max(after.Due, 1)), 0)
		if after.Due > 0 {
			start = record.Key3(num, uint64(after.Due), after.Seq+1)
		}
		complete, err = r.due(start[:], func(order.Position) bool { return true })
	}
	if err != nil {
		return schedule.LoadedWindow{}, err
	}
	return schedule.LoadedWindow{
		OK: true, Positions: r.found, UpTo: r.upTo, Complete: complete,
	}, nil
}

// window begins to read after a position.
func (s *Set) window(num uint64, after order.Position) windowReader {
	r := windowReader{set: s, num: num, after: after, upTo: after}
	if b, err := s.Backlogs.Get(num); err == nil {
		r.marks = b.Marks
	} // else claims of what is returned fail, and the deliveries die one by one
	return r
}

// windowReader reads one window.
type windowReader struct {
	set   *Set
	num   uint64
	marks []record.Mark
	after order.Position

	found  []order.Position
	looked int
	upTo   order.Position // the last that was looked at
}

// full reports whether that is enough. The second bound keeps many canceled deliveries in a row
// from making a transaction long, for bbolt reuses no page while it is open.
func (r *windowReader) full() bool { return len(r.found) >= MaxWindow || r.looked >= maxLooked }

// add takes in a position, if what stands there is pending.
func (r *windowReader) add(p order.Position, pending bool) {
	r.looked++
	r.upTo = p
	if pending {
		r.found = append(r.found, p)
	}
}

// packed reads on in the chunks. One that can't be read is passed over: it must not keep the others
// from being claimed.
func (r *windowReader) packed() (complete bool) {
	// A delivery that gets a row stays in its chunk, so each has to be looked for among the rows.
	rows := rowSeeker{set: r.set, cursor: r.set.buckets.Cursor(Rows), num: r.num}
	for k, v := range r.set.Chunks.From(r.num, r.after.Seq) {
		seqs, _ := record.DecodeChunk(k, v)
		for _, seq := range seqs {
			if seq <= r.after.Seq {
				continue
			}
			if r.full() {
				return false
			}
			pending := !rows.has(seq) && record.CanceledBy(r.marks, seq) == nil
			r.add(order.Position{Seq: seq}, pending)
		}
	}
	return true
}

// rowSeeker finds out which deliveries of a subscription have a row. It is asked in ascending
// order, so one search answers for all up to the row that it finds, which as a rule is for all.
type rowSeeker struct {
	set    *Set
	cursor Cursor
	num    uint64
	// The first event from the last search on that has a row; 0 before the first search.
	next uint64
}

func (r *rowSeeker) has(seq uint64) bool {
	if seq > r.next || r.next == 0 {
		key := record.Key2(r.num, seq)
		r.next = math.MaxUint64
		if k, _ := r.set.seek(r.cursor, key[:]); record.InSubscription(k, r.num) {
			r.next = record.KeyNumber(k, 1)
		}
	}
	return seq == r.next
}

// due reads the index of what is due from a key on, as long as positions are in the window's range.
func (r *windowReader) due(
	start []byte, in func(order.Position) bool,
) (complete bool, err error) {
	c := r.set.buckets.Cursor(Due)
	for k, _ := r.set.seek(c, start); record.InSubscription(k, r.num); k, _ = c.Next() {
		p := order.Position{Due: int64(record.KeyNumber(k, 1)), Seq: record.KeyNumber(k, 2)}
		if !in(p) {
			break
		}
		// Before the look, so that upTo is the last that was looked at, and the next window misses
		// nothing.
		if r.full() {
			return false, nil
		}
		r.add(p, r.rowPending(p.Seq))
	}
	return true, nil
}

// rowPending reports whether a delivery in the index of what is due is pending. It is, unless a
// mark has canceled it. A row that can't be read counts as pending, for Claim to find.
func (r *windowReader) rowPending(seq uint64) bool {
	if len(r.marks) == 0 {
		return true
	}
	d, ok, err := r.set.Find(r.num, seq, 0)
	return err != nil || ok && d.Pending()
}
