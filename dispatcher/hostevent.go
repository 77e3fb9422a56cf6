package dispatcher

import (
	"bytes"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// hostEvent rebuilds the event of a claim for a function of the host's, in memory of its own.
func hostEvent(c *store.Claim, eventBody []byte) (events.Event, error) {
	payload, ok := events.PayloadOf(eventBody)
	if !ok {
		return events.Event{}, errBody
	}
	return events.Event{
		ID:      c.EventID,
		Type:    c.EventType,
		Tenant:  c.Tenant,
		Key:     c.Key,
		Time:    c.EventTime,
		Payload: bytes.Clone(payload),
		Trace:   c.Trace,
	}, nil
}
