package wire

import (
	"encoding/json"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// Rotation is the response of /webhooks.rotate.
type Rotation struct {
	ID           string    `json:"id"`
	SignatureKey string    `json:"signature_key"`          // the new one
	OverlapUntil Timestamp `json:"overlap_until,omitzero"` // until when the old ones sign too
}

// Catalogue is the response of /webhooks.events.
type Catalogue struct {
	Data []EventType `json:"data"`
}

// EventType is an events.Type. The fields must be the same for the conversion in NewCatalogue.
type EventType struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Schema      json.RawMessage `json:"schema,omitempty"`  // JSON Schema of the payload
	Example     json.RawMessage `json:"example,omitempty"` // a payload
}

// NewRotation returns the response for a subscription whose last key is the new one.
func NewRotation(s *store.Subscription) Rotation {
	var key signing.Secret
	if n := len(s.Secrets); n > 0 { // always, after a rotation
		key = s.Secrets[n-1]
	}
	return Rotation{ID: s.ID, SignatureKey: string(key), OverlapUntil: Timestamp(s.OverlapUntil)}
}

// NewCatalogue returns the response for the declared types, in the order in which they are
// declared.
func NewCatalogue(types []events.Type) Catalogue {
	out := Catalogue{Data: make([]EventType, len(types))}
	for i, t := range types {
		out.Data[i] = EventType(t)
	}
	return out
}
