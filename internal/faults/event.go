package faults

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/outhook/outhook/events"
)

// Type is the type of the events that a host publishes.
const Type = "fault.tried"

// NewID returns the ID of an event that happens now. Who and n make it unique.
func NewID(who string, n int) string {
	return fmt.Sprintf("%s-%d-%d", who, n, time.Now().UnixMilli())
}

// content is the payload of an event. Its size differs from event to event, so that records do not
// lie alike on pages.
type content struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

func contentOf(id string) content {
	h := fnv.New32a()
	h.Write([]byte(id))
	return content{ID: id, Text: strings.Repeat("x", int(h.Sum32()%900))}
}

// isErased reports whether a host that erases erases the event: one in ten.
func (c content) isErased() bool { return len(c.Text)%10 == 0 }

// Event returns the event with an ID that NewID made. It is the same whenever and wherever it is
// made.
func Event(id string) (events.Event, error) {
	ms, err := strconv.ParseInt(id[strings.LastIndexByte(id, '-')+1:], 10, 64)
	if err != nil {
		return events.Event{}, fmt.Errorf("faults: event %q: %w", id, err)
	}
	payload, err := json.Marshal(contentOf(id))
	return events.Event{ID: id, Type: Type, Time: time.UnixMilli(ms), Payload: payload}, err
}

// Body returns the wire body of the event with the ID.
func Body(id string) (string, error) {
	e, err := Event(id)
	if err != nil {
		return "", err
	}
	body, err := e.Body()
	return string(body), err
}

func eventsOf(ids []string) ([]events.Event, error) {
	evs := make([]events.Event, len(ids))
	for i, id := range ids {
		e, err := Event(id)
		if err != nil {
			return nil, err
		}
		evs[i] = e
	}
	return evs, nil
}
