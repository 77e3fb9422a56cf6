package page

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"

	"github.com/outhook/outhook/events"
)

// MaxNumber is more than any Seq or Num of an item.
const MaxNumber = 1 << 56

// Position is where an item stands in a listing: by falling Seq, then by rising Num. Deliveries
// have the number of their event as Seq and that of their subscription as Num, so the newest event
// comes first. A listing by one rising number, such as that of subscriptions, has it as Num; Seq is
// zero.
type Position struct{ Seq, Num uint64 }

// Start returns the position that no item stands before.
func Start() Position { return Position{Seq: MaxNumber} }

// End returns the position that no item stands after.
func End() Position { return Position{Num: MaxNumber} }

// Compare is negative if p comes before q in a listing, positive if it comes after, zero if they
// are equal.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(q.Seq, p.Seq), cmp.Compare(p.Num, q.Num))
}

// After returns the position right after p.
func (p Position) After() Position { return Position{p.Seq, p.Num + 1} }

// Cursor is a boundary in a listing and the side of it where a page is.
type Cursor struct {
	At   Position
	Back bool // the page ends before At; otherwise it begins with At
}

// Reaches reports whether an item at p is on the side of c where the page is.
func (c Cursor) Reaches(p Position) bool { return p.Compare(c.At) < 0 == c.Back }

// Pass returns the cursor for what is left when the item at p has been read.
func (c Cursor) Pass(p Position) Cursor {
	if c.At = p; !c.Back {
		c.At = p.After()
	}
	return c
}

// A cursor as text is, in URL-safe base64, the version of this format, the direction, and two
// numbers of eight bytes. It stays inside of the store, since the numbers tell how much all tenants
// publish: see [Sealer].
const (
	version    = 1
	forward    = 'n'
	backward   = 'p'
	cursorSize = 1 + 1 + 8 + 8 // divisible by three: no bits of the text are unused
)

// String returns c as text that [Parse] reads.
func (c Cursor) String() string {
	b := make([]byte, 0, cursorSize)
	if c.Back {
		b = append(b, version, backward)
	} else {
		b = append(b, version, forward)
	}
	b = binary.BigEndian.AppendUint64(b, c.At.Seq)
	b = binary.BigEndian.AppendUint64(b, c.At.Num)
	return base64.RawURLEncoding.EncodeToString(b)
}

// Parse returns the cursor that text names; the start of a listing if text is empty. It returns an
// [events.InvalidError] with the field "cursor" for everything that [Cursor.String] does not
// return.
func Parse(text string) (Cursor, error) {
	if text == "" {
		return Cursor{At: Start()}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != cursorSize || b[1] != forward && b[1] != backward {
		return Cursor{}, errCursor()
	}
	c := Cursor{Back: b[1] == backward}
	c.At = Position{Seq: binary.BigEndian.Uint64(b[2:]), Num: binary.BigEndian.Uint64(b[10:])}
	if c.At.Seq > MaxNumber || c.At.Num > MaxNumber || c.String() != text {
		return Cursor{}, errCursor() // also if the version is another: String writes ours
	}
	return c, nil
}

func errCursor() error {
	return &events.InvalidError{
		Field: "cursor",
		Reason: "is not a cursor of this store; pass one that an earlier page has returned, " +
			"or none for the first page",
	}
}
