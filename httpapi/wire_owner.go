package httpapi

import (
	"encoding/json"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// rotation is the response of /webhooks.rotate.
type rotation struct {
	ID           string    `json:"id"`
	SignatureKey string    `json:"signature_key"`
	OverlapUntil timestamp `json:"overlap_until,omitzero"`
}

// catalogue is the response of /webhooks.events.
type catalogue struct {
	Data []eventType `json:"data"`
}

type eventType struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"schema,omitempty"`
	Example     json.RawMessage `json:"example,omitempty"`
}

func newRotation(s *store.Subscription) rotation {
	var key signing.Secret
	if n := len(s.Secrets); n > 0 {
		key = s.Secrets[n-1]
	}
	return rotation{ID: s.ID, SignatureKey: string(key), OverlapUntil: timestamp(s.OverlapUntil)}
}

func newCatalogue(types []events.Type) catalogue {
	out := catalogue{Data: make([]eventType, len(types))}
	for i, t := range types {
		out.Data[i] = eventType(t)
	}
	return out
}
