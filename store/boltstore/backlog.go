package boltstore

import (
	"fmt"
)

// backlog is what the file says of what is pending for a subscription besides its rows. There is a record of those that
// have something pending below the watermark, and of those that are not swept yet.
type backlog struct {
	pending int    // pending deliveries that have a row or are in a chunk, those that are canceled by a mark excepted
	chunks  bool   // there may be chunks
	marks   []mark // that are not swept yet, oldest first
	deleted bool   // the subscription is gone and its records are to go
}

// mark says that all that was pending for a subscription is canceled: what is pending as of a number below seq.
type mark struct {
	seq    uint64 // taken from the events, so that it is of one order with them
	at     int64
	reason string
}

// empty reports whether b needs no record.
func (b *backlog) empty() bool { return b.pending == 0 && !b.chunks && len(b.marks) == 0 && !b.deleted }

// canceled returns the mark that cancels what is pending as of stamp; nil when there is none.
func canceled(marks []mark, stamp uint64) *mark {
	for i := range marks {
		if stamp < marks[i].seq {
			return &marks[i]
		}
	}
	return nil
}

func (b *backlog) encode(key []byte) []byte {
	e := newEncoder(32)
	e.uint(uint64(b.pending))
	e.bool(b.chunks)
	e.bool(b.deleted)
	e.uint(uint64(len(b.marks)))
	for _, m := range b.marks {
		e.uint(m.seq)
		e.int(m.at)
		e.string(m.reason)
	}
	return e.seal(key)
}

// decodeBacklog reads a backlog. No value is an empty one.
func decodeBacklog(key, v []byte) (*backlog, error) {
	if v == nil {
		return &backlog{}, nil
	}
	d, err := unseal(key, v)
	if err != nil {
		return nil, fmt.Errorf("backlog of subscription %d: %w", number(key, 0), err)
	}
	b := &backlog{pending: int(d.uint()), chunks: d.bool(), deleted: d.bool()}
	for range d.count() {
		b.marks = append(b.marks, mark{d.uint(), d.int(), d.string()})
	}
	return b, d.end()
}
