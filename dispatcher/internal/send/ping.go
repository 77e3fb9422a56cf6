package send

import (
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Ping returns what is sent as a ping of an event type, as if it had been claimed.
func Ping(sub store.Subscription, eventType string) (*store.Claim, error) {
	e, err := events.New(eventType, map[string]string{"id": sub.ID})
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
