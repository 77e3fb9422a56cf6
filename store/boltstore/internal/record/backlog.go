package record

import "fmt"

// Backlog sums up what a subscription has pending in rows and chunks, and says what a purge still
// has to do. A subscription with neither has no such record.
type Backlog struct {
	// Pending counts the pending deliveries that have a row or are in a chunk. Those that a mark
	// has canceled do not count.
	Pending int
	Chunks  bool   // there may be chunks
	Marks   []Mark // that are not yet written into the rows, oldest first
	Deleted bool   // the subscription is gone and its records are to be removed
}

// Mark cancels all that was pending for a subscription when it was written: every delivery whose
// AsOf is below Seq.
type Mark struct {
	Seq    uint64 // from the sequence of the events, so that marks and events have one order
	At     int64
	Reason string
}

// Empty reports whether b needs no record.
func (b *Backlog) Empty() bool {
	return b.Pending == 0 && !b.Chunks && len(b.Marks) == 0 && !b.Deleted
}

// CanceledBy returns the mark that cancels what is pending as of a number; nil if none does.
func CanceledBy(marks []Mark, asOf uint64) *Mark {
	for i := range marks {
		if asOf < marks[i].Seq {
			return &marks[i]
		}
	}
	return nil
}

// Encode returns the backlog's value.
func (b *Backlog) Encode(key []byte) []byte {
	e := newEncoder(32)
	e.uint(uint64(b.Pending))
	e.bool(b.Chunks)
	e.bool(b.Deleted)
	e.uint(uint64(len(b.Marks)))
	for _, m := range b.Marks {
		e.uint(m.Seq)
		e.int(m.At)
		e.string(m.Reason)
	}
	return e.appendChecksum(key)
}

// DecodeBacklog reads a backlog. A nil value is an empty backlog.
func DecodeBacklog(key, v []byte) (*Backlog, error) {
	if v == nil {
		return &Backlog{}, nil
	}
	d, err := newDecoder(key, v)
	if err != nil {
		return nil, fmt.Errorf("backlog of subscription %d: %w", KeyNumber(key, 0), err)
	}
	b := &Backlog{Pending: int(d.uint()), Chunks: d.bool(), Deleted: d.bool()}
	for range d.count() {
		b.Marks = append(b.Marks, Mark{d.uint(), d.int(), d.string()})
	}
	return b, d.end()
}
