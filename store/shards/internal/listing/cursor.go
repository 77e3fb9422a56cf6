package listing

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/outhook/outhook/events"
)

// Cursor is where a listing goes on: in which direction, and from where in each store. A store that
// it does not name begins at its start, so stores can be added while a caller pages. The zero
// Cursor is the start of a listing.
type Cursor struct {
	back    bool
	entries []entry // by the index of the store
}

// entry is a boundary in the listing of one store. The text is a cursor of the store's own.
type entry struct {
	kind entryKind
	text string
}

type entryKind byte

const (
	// atCursor is where the text says; at the start of the listing if it is empty.
	atCursor entryKind = iota
	// atStart is before the first item, seen by a page that goes back.
	atStart
	// afterPage is the end of the listing. A store has no cursor for it; the text is where the last
	// page before it began.
	afterPage
	// afterAll is the end too. The text is a cursor that goes back from there.
	afterAll
	entryKinds
)

// of returns where to go on in a store.
func (c *Cursor) of(i int) entry {
	if i < len(c.entries) {
		return c.entries[i]
	}
	if c.back {
		return entry{kind: atStart}
	}
	return entry{}
}

// In returns the cursor of a store's own, for a caller that goes through one store alone.
func (c *Cursor) In(i int) string { return c.of(i).text }

// First returns the first store that the cursor says something of; 0 if it is empty.
func (c *Cursor) First() int {
	for i, e := range c.entries {
		if e.kind == atCursor {
			return i
		}
	}
	return 0
}

// The text of a cursor is, in URL-safe base64, the version of this format, the direction, and for
// each store its kind, and the length and bytes of its text.
const cursorVersion = 1

const (
	maxCursor = 64 << 10 // bytes; what is longer is none of ours
	maxStores = 255
)

// String returns the text of the cursor, which ParseCursor reads.
func (c *Cursor) String() string {
	b := []byte{cursorVersion, 'n'}
	if c.back {
		b[1] = 'p'
	}
	for _, e := range c.entries {
		b = append(b, byte(e.kind))
		b = binary.AppendUvarint(b, uint64(len(e.text)))
		b = append(b, e.text...)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// ParseCursor reads what String returns; the start of a listing if text is empty. It returns an
// [events.InvalidError] with the field "cursor" for everything else.
func ParseCursor(text string) (Cursor, error) {
	if text == "" {
		return Cursor{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(text) > maxCursor || len(b) < 2 || b[0] != cursorVersion {
		return Cursor{}, ErrCursor()
	}
	c := Cursor{back: b[1] == 'p'}
	for rest := b[2:]; len(rest) > 0; {
		kind := entryKind(rest[0])
		n, size := binary.Uvarint(rest[1:])
		if kind >= entryKinds || size <= 0 || n > uint64(len(rest)-1-size) {
			return Cursor{}, ErrCursor()
		}
		rest = rest[1+size:]
		c.entries = append(c.entries, entry{kind, string(rest[:n])})
		rest = rest[n:]
	}
	if len(c.entries) == 0 || len(c.entries) > maxStores || c.String() != text {
		return Cursor{}, ErrCursor() // also if it could be written otherwise
	}
	return c, nil
}

// ErrCursor returns the error for a cursor that is none of ours.
func ErrCursor() error {
	return &events.InvalidError{
		Field: "cursor",
		Reason: "is not a cursor of this store; pass one that an earlier page has returned, " +
			"or none for the first page",
	}
}

// One returns the text of a cursor into a single store, given a cursor of the store's own; empty if
// that is.
func One(i int, text string) string {
	if text == "" {
		return ""
	}
	return at(i, text)
}

// StartOf returns the text of a cursor to the start of a store, when those before it are done.
func StartOf(i int) string { return at(i, "") }

func at(i int, text string) string {
	c := Cursor{entries: make([]entry, i+1)}
	for j := range c.entries {
		c.entries[j].kind = afterAll
	}
	c.entries[i] = entry{text: text}
	return c.String()
}
