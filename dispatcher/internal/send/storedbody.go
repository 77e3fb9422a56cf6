package send

import (
	"encoding/binary"
	"slices"
)

// What a claim's Body holds is this file's alone. It is the event's own body, which begins with a
// brace, or what an earlier attempt put into store.Outcome.Body: one of these marks, and then as the
// mark says.
//
// The mark travels inside the body because the store has one field for both.
const (
	markUnasked   = 1 // the event's body; Filter has not answered
	markUnchanged = 2 // the event's body, which earlier attempts have sent
	markChanged   = 3 // the length of what they have sent (a uvarint), that, and the event's body
)

// storedBody is what a claim's Body says.
type storedBody struct {
	event   []byte // the event's own body
	sent    []byte // what earlier attempts have sent; nil while that is not settled
	unasked bool   // Filter was asked, and did not answer
}

// parseBody reads a claim's Body. The result shares its memory.
func parseBody(b []byte) (storedBody, error) {
	if len(b) == 0 {
		return storedBody{}, errBody
	}
	switch rest := b[1:]; b[0] {
	case '{':
		return storedBody{event: b}, nil
	case markUnasked:
		return storedBody{event: rest, unasked: true}, nil
	case markUnchanged:
		return storedBody{event: rest, sent: rest}, nil
	case markChanged:
		n, size := binary.Uvarint(rest)
		if size > 0 && n <= uint64(len(rest)-size) {
			rest = rest[size:]
			return storedBody{event: rest[n:], sent: rest[:n:n]}, nil
		}
	}
	return storedBody{}, errBody
}

// overrideUnasked is the Body of a delivery that Filter has yet to be asked about.
func overrideUnasked(event []byte) []byte {
	return append([]byte{markUnasked}, event...)
}

// overrideSent is the Body of a delivery whose sent body is settled.
func overrideSent(event, sent []byte) []byte {
	if slices.Equal(event, sent) {
		return append([]byte{markUnchanged}, event...)
	}
	b := make([]byte, 1, 1+binary.MaxVarintLen64+len(sent)+len(event))
	b[0] = markChanged
	b = binary.AppendUvarint(b, uint64(len(sent)))
	return append(append(b, sent...), event...)
}
