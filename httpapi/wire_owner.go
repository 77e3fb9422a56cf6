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
	SignatureKey string    `json:"signature_key"`          // the new one
	OverlapUntil timestamp `json:"overlap_until,omitzero"` // until when the old ones sign too
}

// catalogue is the response of /webhooks.events.
type catalogue struct {
	Data []eventType `json:"data"`
}

// eventType is an events.Type. The fields must be the same for the conversion in newCatalogue.
type eventType struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"schema,omitempty"`  // JSON Schema of the payload
	Example     json.RawMessage `json:"example,omitempty"` // a payload
}

// newRotation returns the response for a subscription whose last key is the new one.
func newRotation(s *store.Subscription) rotation {
	var key signing.Secret
	if n := len(s.Secrets); n > 0 { // always, after a rotation
		key = s.Secrets[n-1]
	}
	return rotation{ID: s.ID, SignatureKey: string(key), OverlapUntil: timestamp(s.OverlapUntil)}
}

// newCatalogue returns the response for the declared types, in the order in which they are
// declared.
func newCatalogue(types []events.Type) catalogue {
	out := catalogue{Data: make([]eventType, len(types))}
	for i, t := range types {
		out.Data[i] = eventType(t)
	}
	return out
}
