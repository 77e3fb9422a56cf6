package events

import (
	"encoding/json"
	"errors"
	"time"
)

// A Message is one message of a conversation, as in Airy's payloads.
//
// A type that embeds Message inherits its MarshalJSON, so its own fields are not written: make
// Message a field instead.
type Message struct {
	ID            string          `json:"id"`
	Content       json.RawMessage `json:"content"` // JSON as the source sent it; nil is written null
	DeliveryState DeliveryState   `json:"delivery_state"`
	FromContact   bool            `json:"from_contact"` // false: from the host's side

	// SentAt is written as ISO 8601 in UTC with exactly three digits of a second
	// ("2020-10-25T21:24:54.560Z"); finer digits are dropped. Any RFC 3339 time is read. A year
	// that isn't 0 to 9999 is an error.
	SentAt time.Time `json:"sent_at"`

	Source   string          `json:"source"`             // such as "facebook"
	Metadata json.RawMessage `json:"metadata,omitempty"` // free JSON; left out when empty
	Sender   Sender          `json:"sender"`
}

// A Sender is who sent a message.
type Sender struct {
	ID string `json:"id"`
}

// DeliveryState is how far a message got on its way to the contact. (It has nothing to do with the
// deliveries of webhooks.)
type DeliveryState string

// The delivery states of Airy.
const (
	DeliveryStatePending   DeliveryState = "pending"
	DeliveryStateFailed    DeliveryState = "failed"
	DeliveryStateDelivered DeliveryState = "delivered"
)

// MarshalJSON writes SentAt as Airy does. encoding/json reads the result back as it is.
func (m Message) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		ID            string          `json:"id"`
		Content       json.RawMessage `json:"content"`
		DeliveryState DeliveryState   `json:"delivery_state"`
		FromContact   bool            `json:"from_contact"`
		SentAt        timestamp       `json:"sent_at"`
		Source        string          `json:"source"`
		Metadata      json.RawMessage `json:"metadata,omitempty"`
		Sender        Sender          `json:"sender"`
	}{m.ID, m.Content, m.DeliveryState, m.FromContact, timestamp(m.SentAt), m.Source, m.Metadata,
		m.Sender})
}

// timestamp is a time that is written as Airy writes times.
type timestamp time.Time

// MarshalJSON implements [json.Marshaler]. A year of five digits would not be ISO 8601.
func (t timestamp) MarshalJSON() ([]byte, error) {
	utc := time.Time(t).UTC()
	if y := utc.Year(); y < 0 || y > 9999 {
		return nil, errors.New("events: a time's year is outside 0 to 9999")
	}
	return utc.AppendFormat(nil, `"2006-01-02T15:04:05.000Z"`), nil
}
