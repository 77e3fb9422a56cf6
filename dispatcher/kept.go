package dispatcher

import (
	"encoding/binary"
	"errors"
	"slices"
)

// The marks in front of a body that is kept with its delivery (store.Outcome.Body). An event's own body begins with a
// brace.
const (
	markUnasked   = 1 // Options.Filter has not answered; what follows is the event's body
	markUnchanged = 2 // what follows is the event's body, which earlier attempts have sent
	markChanged   = 3 // what follows is the length of what they have sent, that, and the event's body
)

// body is what a claim's body says.
type body struct {
	event   []byte // the event's own
	sent    []byte // what earlier attempts have sent; nil while that is not settled
	unasked bool   // Options.Filter was asked and did not answer
}

var errBody = errors.New("dispatcher: the stored body is not one that can be read")

// parseBody reads the body of a claim. The result shares its memory.
func parseBody(b []byte) (body, error) {
	if len(b) == 0 {
		return body{}, errBody
	}
	switch rest := b[1:]; b[0] {
	case '{':
		return body{event: b}, nil
	case markUnasked:
		return body{event: rest, unasked: true}, nil
	case markUnchanged:
		return body{event: rest, sent: rest}, nil
	case markChanged:
		n, size := binary.Uvarint(rest)
		if size > 0 && n <= uint64(len(rest)-size) {
			rest = rest[size:]
			return body{event: rest[n:], sent: rest[:n:n]}, nil
		}
	}
	return body{}, errBody
}

// keepUnasked returns what to keep with a delivery that Options.Filter has yet to be asked about.
func keepUnasked(event []byte) []byte {
	return append([]byte{markUnasked}, event...)
}

// keepSent returns what to keep with a delivery whose body is settled.
func keepSent(event, sent []byte) []byte {
	if slices.Equal(event, sent) {
		return append([]byte{markUnchanged}, event...)
	}
	b := make([]byte, 1, 1+binary.MaxVarintLen64+len(sent)+len(event))
	b[0] = markChanged
	b = binary.AppendUvarint(b, uint64(len(sent)))
	return append(append(b, sent...), event...)
}
