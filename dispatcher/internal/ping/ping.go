// Package ping sends requests that are not of the queue: the ping of a subscription, and an example
// of an event type.
package ping

import (
	"encoding/json"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Claim returns an event of a type as if it had been claimed for a subscription: a new one, of now.
// A nil payload is {"id":"<the subscription's ID>"}.
func Claim(
	sub store.Subscription, eventType string, payload json.RawMessage,
) (*store.Claim, error) {
	var what any = payload
	if payload == nil {
		what = map[string]string{"id": sub.ID}
	}
	e, err := events.New(eventType, what)
	if err != nil {
		return nil, err
	}
	body, err := e.Body()
	return &store.Claim{
		Lease:        store.Lease{SubscriptionID: sub.ID, EventID: e.ID},
		Subscription: &sub,
		Health:       new(store.Health), // what was learned of the endpoint is not the ping's concern
		EventType:    e.Type,
		Tenant:       sub.Tenant,
		EventTime:    e.Time,
		Body:         body,
		Attempt:      1,
	}, err
}

// Example returns the example of a type of the catalogue. The error is an *events.InvalidError if
// there is none.
func Example(catalogue []events.Type, eventType string) (json.RawMessage, error) {
	for i := range catalogue {
		if t := &catalogue[i]; t.Name == eventType && len(t.Example) > 0 {
			return t.Example, nil
		}
	}
	return nil, &events.InvalidError{Field: "event_type",
		Reason: "has no example in the catalogue; choose one that has"}
}
