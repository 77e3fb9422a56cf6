package receiver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/outhook/outhook/signing"
)

// Secret signs all deliveries.
const Secret signing.Secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

// A payload is 512 bytes that begin with a stamp: the number of the event, and when it was
// published, in nanoseconds since 1970. Both have a fixed length, so that the receiver finds them
// without parsing.
const (
	PayloadSize = 512
	stampStart  = `{"stamp":"`
	stampDigits = 10 + 1 + 19
)

// Stamped returns the payload of an event.
func Stamped(event int, at time.Time) json.RawMessage {
	head := fmt.Appendf(make([]byte, 0, PayloadSize), `%s%010d %019d","text":"`, stampStart, event,
		at.UnixNano())
	const end = `"}`
	head = append(head, filler[:PayloadSize-len(head)-len(end)]...)
	return append(head, end...)
}

var filler = strings.Repeat("x", PayloadSize)

// readStamp finds the stamp in a body.
func readStamp(body []byte) (event int, at time.Time, ok bool) {
	_, rest, ok := bytes.Cut(body, []byte(stampStart))
	if !ok || len(rest) < stampDigits {
		return 0, time.Time{}, false
	}
	event, err := strconv.Atoi(string(rest[:10]))
	nanos, errAt := strconv.ParseInt(string(rest[11:stampDigits]), 10, 64)
	return event, time.Unix(0, nanos), err == nil && errAt == nil
}
