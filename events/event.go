package events

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// An Event is something that happened in the host, as it is published.
//
// It is a plain value: nothing in this package keeps or changes one. New and From fill ID, Time and
// Payload; a host that has its own ids or times sets them afterwards, or builds the whole Event
// itself. Validate says which values are allowed.
type Event struct {
	// ID is the event's identity among those of its tenant: publishing the same ID again stores
	// nothing new, and receivers get it as webhook-id on every attempt. 1 to 128 characters from
	// A-Z, a-z, 0-9, "_" and "-". New and From make a UUIDv7. An ID of the host's own, such as an
	// invoice number, may be another tenant's too; an endpoint that several tenants share must then
	// tell their events apart by more than webhook-id.
	ID string

	// Type is a name such as "message.created" or "orders/create"; see ValidateType.
	Type string

	// Tenant owns the event: only subscriptions of the same tenant get it. It is empty in a
	// single-tenant host. At most 256 bytes of UTF-8 without control characters. It is not sent.
	Tenant string

	// Key names the subject of the event, such as an order. Deliveries with the same key are made
	// one after another. Optional; bounded like Tenant. It is not sent.
	Key string

	// Time is when the event happened, sent in milliseconds since 1970; finer digits are dropped.
	// From 1970 through the year 9999.
	Time time.Time

	// Payload is one JSON value of any kind, in valid UTF-8.
	Payload json.RawMessage

	// Trace is the trace that publishing the event belongs to, as the traceparent of W3C Trace
	// Context (version 00). It is stored with the event, for the tracing of its deliveries.
	// Optional.
	Trace string

	// Tags are the host's own labels, by which deliveries are searched. At most 16, each of 1 to 64
	// characters from A-Z, a-z, 0-9, "_", ".", ":" and "-". They are stored sorted and without
	// repeats, and are not sent. Optional.
	Tags []string

	// NotBefore is when the first attempt may start, in milliseconds: finer digits are dropped.
	// From 1970 through the year 9999, by the clock of the store. A delivery of the same Key that
	// comes behind it waits for it. If zero, at once.
	NotBefore time.Time

	// ExpiresAt is until when an attempt may start, in milliseconds, after NotBefore and bounded
	// like it. What has not been delivered by then is canceled with "expired". If zero, the event
	// does not expire.
	ExpiresAt time.Time
}

// New makes an Event of the given type that happens now, with a new UUIDv7 (RFC 9562) as its ID.
//
// A payload of type json.RawMessage is copied as it is: key order, number spelling and escapes
// stay. Any other payload is marshalled with encoding/json, without HTML escaping. (Note that
// encoding/json writes a []byte as base64: pass bytes that are JSON already as json.RawMessage.) A
// nil payload is an error; json.RawMessage("null") sends null.
//
// The error is an *InvalidError. It names the field payload when the payload can't be marshalled,
// panics while it is marshalled or isn't JSON.
func New(eventType string, payload any) (Event, error) {
	raw, err := marshalPayload(payload)
	if err != nil {
		return Event{}, err
	}
	e := Event{
		// its only error is the random source's, which never fails
		ID:      uuid.Must(uuid.NewV7()).String(),
		Type:    eventType,
		Time:    time.Now().UTC().Truncate(time.Millisecond),
		Payload: raw,
	}
	if err := e.validateHead(); err != nil { // the payload is checked already
		return Event{}, err
	}
	return e, nil
}

// A Payload is a Go type that always belongs to the same event type, such as MessageCreated.
// EventType must not depend on the value.
type Payload interface{ EventType() string }

// From makes an Event of p's type, as New does. A nil p, or a nil pointer in p, is an *InvalidError
// that names payload.
func From(p Payload) (Event, error) {
	name, err := payloadType(p)
	if err != nil {
		return Event{}, err
	}
	return New(name, p)
}
