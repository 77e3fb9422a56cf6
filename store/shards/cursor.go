package shards

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/outhook/outhook/events"
)

// cursor is where a listing goes on: in which direction, and from where in each shard. A shard that
// it does not name begins at its start.
type cursor struct {
	back    bool
	entries []entry // by the index of the shard
}

// entry is a boundary in the listing of one shard. The text is a cursor of the shard's own.
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
	// afterPage is the end of the listing. A shard has no cursor for it; the text is where the last
	// page before it began.
	afterPage
	// afterAll is the end too. The text is a cursor that goes back from there.
	afterAll
	entryKinds
)

// of returns where to go on in a shard.
func (c *cursor) of(sh *shard) entry {
	if sh.index < len(c.entries) {
		return c.entries[sh.index]
	}
	if c.back {
		return entry{kind: atStart}
	}
	return entry{}
}

// first returns the first shard that the cursor says something of; 0 if it is empty.
func (c *cursor) first() int {
	for i, e := range c.entries {
		if e.kind == atCursor {
			return i
		}
	}
	return 0
}

// The text of a cursor is, in URL-safe base64, the version of this format, the direction, and for
// each shard its kind, and the length and bytes of its text.
const cursorVersion = 1

const maxCursor = 64 << 10 // bytes; what is longer is none of ours

func (c *cursor) String() string {
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

// parseCursor reads what String returns; the start of a listing if text is empty. It returns an
// [events.InvalidError] with the field "cursor" for everything else.
func parseCursor(text string) (cursor, error) {
	if text == "" {
		return cursor{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(text) > maxCursor || len(b) < 2 || b[0] != cursorVersion {
		return cursor{}, errCursor()
	}
	c := cursor{back: b[1] == 'p'}
	for rest := b[2:]; len(rest) > 0; {
		kind := entryKind(rest[0])
		n, size := binary.Uvarint(rest[1:])
		if kind >= entryKinds || size <= 0 || n > uint64(len(rest)-1-size) {
			return cursor{}, errCursor()
		}
		rest = rest[1+size:]
		c.entries = append(c.entries, entry{kind, string(rest[:n])})
		rest = rest[n:]
	}
	if len(c.entries) == 0 || len(c.entries) > MaxShards || c.String() != text {
		return cursor{}, errCursor() // also if it could be written otherwise
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

// oneCursor returns the text of a cursor into a single shard; empty if text is, and the start does
// not count as one.
func oneCursor(sh *shard, text string, start bool) string {
	if text == "" && !start {
		return ""
	}
	c := cursor{entries: make([]entry, sh.index+1)}
	for i := range c.entries {
		c.entries[i].kind = afterAll
	}
	c.entries[sh.index] = entry{text: text}
	return c.String()
}
