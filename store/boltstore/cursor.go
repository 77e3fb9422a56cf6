package boltstore

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/outhook/outhook/events"
)

// A cursor names a boundary in a listing, between what stands before a spot and the rest, and on which side of it the
// page is.
type direction byte

const (
	forward  direction = 'n' // the page begins at the spot
	backward direction = 'p' // the page ends before it
)

// spot is where an item stands in a listing. Deliveries are listed by falling event and then by rising subscription,
// subscriptions by rising number.
type spot struct{ seq, num uint64 }

// maxNumber is more than any number of an event or a subscription will be.
const maxNumber = 1 << 56

// next returns the spot right after p.
func (p spot) next() spot { return spot{p.seq, p.num + 1} }

const cursorSize = 1 + 8 + 8

// cursor returns the cursor for the page in the direction from p.
func (d direction) cursor(p spot) string {
	b := make([]byte, 0, cursorSize)
	b = append(b, byte(d))
	b = binary.BigEndian.AppendUint64(b, p.seq)
	b = binary.BigEndian.AppendUint64(b, p.num)
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor is the opposite of cursor. An empty one is forward from start.
func parseCursor(cursor string, start spot) (spot, direction, error) {
	if cursor == "" {
		return start, forward, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) != cursorSize || direction(b[0]) != forward && direction(b[0]) != backward {
		return spot{}, 0, &events.InvalidError{Field: "cursor", Reason: "is none of ours; pass one of an earlier page"}
	}
	p := spot{binary.BigEndian.Uint64(b[1:]), binary.BigEndian.Uint64(b[9:])}
	return spot{min(p.seq, maxNumber), min(p.num, maxNumber)}, direction(b[0]), nil
}
