package events

import (
	"encoding/json"
	"time"
)

// The event types of Airy, each with a typed payload below.
const (
	TypeMessageCreated      = "message.created"
	TypeMessageUpdated      = "message.updated"
	TypeConversationUpdated = "conversation.updated"
	TypeChannelUpdated      = "channel.updated"
)

// MessageCreated is the payload of TypeMessageCreated: a message was sent or received.
type MessageCreated struct {
	ConversationID string  `json:"conversation_id"`
	ChannelID      string  `json:"channel_id"`
	Message        Message `json:"message"`
}

// MessageUpdated is the payload of TypeMessageUpdated: a message changed, such as its delivery
// state or metadata. Message is its present state.
type MessageUpdated struct {
	ConversationID string  `json:"conversation_id"`
	ChannelID      string  `json:"channel_id"`
	Message        Message `json:"message"`
}

// ConversationUpdated is the payload of TypeConversationUpdated: a conversation got a message or
// its metadata changed.
type ConversationUpdated struct {
	ID          string          `json:"id"`
	CreatedAt   time.Time       `json:"created_at"` // written like Message.SentAt
	ChannelID   string          `json:"channel_id"`
	Metadata    json.RawMessage `json:"metadata"` // free JSON; nil is written {}
	LastMessage Message         `json:"last_message"`
}

// ChannelUpdated is the payload of TypeChannelUpdated: a channel was connected or disconnected, or
// its metadata changed.
type ChannelUpdated struct {
	ID              string          `json:"id"`
	Source          string          `json:"source"`            // such as "facebook"
	SourceChannelID string          `json:"source_channel_id"` // the channel's id at its source
	Metadata        json.RawMessage `json:"metadata"`          // free JSON; nil is written {}
	Connected       bool            `json:"connected"`
}

// EventType returns TypeMessageCreated.
func (MessageCreated) EventType() string { return TypeMessageCreated }

// EventType returns TypeMessageUpdated.
func (MessageUpdated) EventType() string { return TypeMessageUpdated }

// EventType returns TypeConversationUpdated.
func (ConversationUpdated) EventType() string { return TypeConversationUpdated }

// EventType returns TypeChannelUpdated.
func (ChannelUpdated) EventType() string { return TypeChannelUpdated }

// MarshalJSON writes the times and an absent metadata as Airy does. encoding/json reads the result
// back as it is.
func (c ConversationUpdated) MarshalJSON() ([]byte, error) {
	return marshal(struct {
		ID          string          `json:"id"`
		CreatedAt   timestamp       `json:"created_at"`
		ChannelID   string          `json:"channel_id"`
		Metadata    json.RawMessage `json:"metadata"`
		LastMessage Message         `json:"last_message"`
	}{c.ID, timestamp(c.CreatedAt), c.ChannelID, orEmptyObject(c.Metadata), c.LastMessage})
}

// MarshalJSON writes an absent metadata as Airy does.
func (c ChannelUpdated) MarshalJSON() ([]byte, error) {
	type plain ChannelUpdated // without this method
	c.Metadata = orEmptyObject(c.Metadata)
	return marshal(plain(c))
}

// orEmptyObject returns raw, or {} if it is nil: Airy's receivers do not check for a missing
// metadata of conversations and channels.
func orEmptyObject(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("{}")
	}
	return raw
}
