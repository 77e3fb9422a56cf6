package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
)

// benchSecret signs all deliveries.
const benchSecret signing.Secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

// benchType is the type of the events.
const benchType = "message.created"

// A payload is 512 bytes that begin with a stamp: the number of the event, and when it was
// published, in nanoseconds since 1970. Both have a fixed length, so that the receiver finds them
// without parsing.
const (
	payloadSize = 512
	stampStart  = `{"stamp":"`
	stampDigits = 10 + 1 + 19
)

// stamped returns the payload of an event.
func stamped(event int, at time.Time) json.RawMessage {
	head := fmt.Appendf(make([]byte, 0, payloadSize), `%s%010d %019d","text":"`, stampStart, event,
		at.UnixNano())
	const end = `"}`
	head = append(head, filler[:payloadSize-len(head)-len(end)]...)
	return append(head, end...)
}

var filler = strings.Repeat("x", payloadSize)

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

// message returns an event, as a host would make it.
func message(eventType string, n int) (events.Event, error) {
	return events.New(eventType, stamped(n, time.Now()))
}

// messages returns the events from one number to another.
func messages(eventType string, from, to int) ([]events.Event, error) {
	evs := make([]events.Event, 0, to-from)
	for n := from; n < to; n++ {
		e, err := message(eventType, n)
		if err != nil {
			return nil, err
		}
		evs = append(evs, e)
	}
	return evs, nil
}
