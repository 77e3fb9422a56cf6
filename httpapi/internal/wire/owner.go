package wire

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// Rotation is the response of /webhooks.rotate.
type Rotation struct {
	ID string `json:"id"`

	// The new key: all of a symmetric one, and the public half of an Ed25519 one.
	SignatureKey string            `json:"signature_key,omitempty"`
	PublicKey    signing.PublicKey `json:"public_key,omitempty"`

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
	Version     string          `json:"version,omitempty"`
	Deprecated  string          `json:"deprecated,omitempty"` // what to use instead
	Schema      json.RawMessage `json:"schema,omitempty"`     // JSON Schema of the payload
	Example     json.RawMessage `json:"example,omitempty"`    // a payload
}

// NewRotation returns the response for a subscription whose last key is the new one.
func NewRotation(s *store.Subscription) Rotation {
	out := Rotation{ID: s.ID, OverlapUntil: Timestamp(s.OverlapUntil)}
	key := s.NewestKey()
	if out.PublicKey = key.Public(); out.PublicKey == "" {
		out.SignatureKey = string(key)
	}
	return out
}

// Deprecations warns of each deprecated type that is among the patterns by its name.
func Deprecations(types []events.Type, patterns []string) []string {
	var warnings []string
	for _, t := range types {
		if t.Deprecated != "" && slices.Contains(patterns, t.Name) {
			warnings = append(warnings, fmt.Sprintf("events names %s, which is deprecated: %s", t.Name,
				t.Deprecated))
		}
	}
	return warnings
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
