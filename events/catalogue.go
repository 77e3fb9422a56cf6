package events

import "encoding/json"

// A Type is an entry in a host's catalogue of the event types that it publishes: with a catalogue,
// subscribing to or publishing any other type is an error, and clients can list the types.
type Type struct {
	Name        string          // see ValidateType
	Description string          // when it is published, in a sentence of plain text
	Version     string          // of its payload, such as "2" or "2026-03-01"; empty: none given
	Deprecated  string          // if it is deprecated: what to use instead, and until when it is sent
	Schema      json.RawMessage // of the payload, in JSON Schema 2020-12; nil: none given
	Example     json.RawMessage // a payload; nil: none given
}

// A SchemaCompiler makes checks of payloads by the Schema of their types, for Schemas in the
// Options of package dispatcher. Package events/jsonschema, a module of its own, has one.
type SchemaCompiler interface {
	// Compile returns a function that returns an error for a payload that does not match t.Schema,
	// which is JSON. The error says which rule it breaks, and has no part of the payload: its text
	// is shown to clients and logged. The payload need not be JSON, and is for reading only. check
	// must be safe for concurrent use.
	Compile(t Type) (check func(payload json.RawMessage) error, err error)
}

// Airy returns the catalogue entries of Airy's four event types, whose payloads are MessageCreated,
// MessageUpdated, ConversationUpdated and ChannelUpdated. Each call returns its own copy.
//
// The schemas allow further properties: a host may send more than Airy did.
func Airy() []Type {
	return []Type{{
		Name:        TypeMessageCreated,
		Description: "A message was sent to a contact or received from one.",
		Schema:      json.RawMessage(messageEventSchema),
		Example:     json.RawMessage(messageCreatedExample),
	}, {
		Name:        TypeMessageUpdated,
		Description: "A message changed: its delivery state, its content or its metadata.",
		Schema:      json.RawMessage(messageEventSchema),
		Example:     json.RawMessage(messageUpdatedExample),
	}, {
		Name:        TypeConversationUpdated,
		Description: "A conversation got a new message, or its metadata changed.",
		Schema:      json.RawMessage(conversationSchema),
		Example:     json.RawMessage(conversationExample),
	}, {
		Name:        TypeChannelUpdated,
		Description: "A channel was connected or disconnected, or its metadata changed.",
		Schema:      json.RawMessage(channelSchema),
		Example:     json.RawMessage(channelExample),
	}}
}

// dialect begins each schema: without it, a validator may take it for one of an older draft.
const dialect = `"$schema":"https://json-schema.org/draft/2020-12/schema"`

// messageDefs are the definitions that a schema with messages refers to.
const messageDefs = `"$defs":{
  "time":{"description":"ISO 8601 in UTC with milliseconds","type":"string","format":"date-time",
    "pattern":"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$"},
  "message":{"type":"object",
    "required":["id","content","delivery_state","from_contact","sent_at","source","sender"],
    "properties":{
      "id":{"type":"string"},
      "content":{"description":"JSON as the source sent it"},
      "delivery_state":{"enum":["pending","failed","delivered"]},
      "from_contact":{"type":"boolean"},
      "sent_at":{"$ref":"#/$defs/time"},
      "source":{"type":"string"},
      "metadata":{"description":"free JSON, left out when absent"},
      "sender":{"type":"object","required":["id"],"properties":{"id":{"type":"string"}}}}}}`

// messageEventSchema is of both types about messages, which have the same payload.
const messageEventSchema = `{` + dialect + `,
"type":"object",
"required":["conversation_id","channel_id","message"],
"properties":{
  "conversation_id":{"type":"string"},
  "channel_id":{"type":"string"},
  "message":{"$ref":"#/$defs/message"}},
` + messageDefs + `}`

const conversationSchema = `{` + dialect + `,
"type":"object",
"required":["id","created_at","channel_id","metadata","last_message"],
"properties":{
  "id":{"type":"string"},
  "created_at":{"$ref":"#/$defs/time"},
  "channel_id":{"type":"string"},
  "metadata":{"description":"free JSON"},
  "last_message":{"$ref":"#/$defs/message"}},
` + messageDefs + `}`

const channelSchema = `{` + dialect + `,
"type":"object",
"required":["id","source","source_channel_id","metadata","connected"],
"properties":{
  "id":{"type":"string"},
  "source":{"type":"string"},
  "source_channel_id":{"type":"string"},
  "metadata":{"description":"free JSON"},
  "connected":{"type":"boolean"}}}`

const messageCreatedExample = `{
"conversation_id":"2e1da639-7152-4595-b43e-2117a55ac260",
"channel_id":"b9963564-1167-5b5f-9f61-7c1a82573320",
"message":{
  "id":"5b1a4c0e-8b4d-4a51-9f0c-1d1f4a5b6c7d",
  "content":{"text":"Hello World"},
  "delivery_state":"delivered",
  "from_contact":true,
  "sent_at":"2020-10-25T21:24:54.560Z",
  "source":"facebook",
  "sender":{"id":"facebook:1234567890"}}}`

const messageUpdatedExample = `{
"conversation_id":"2e1da639-7152-4595-b43e-2117a55ac260",
"channel_id":"b9963564-1167-5b5f-9f61-7c1a82573320",
"message":{
  "id":"9d3b8f52-6c1e-4d7a-8e21-0a9b7c6d5e4f",
  "content":{"text":"How can we help?"},
  "delivery_state":"delivered",
  "from_contact":false,
  "sent_at":"2020-10-25T21:25:10.000Z",
  "source":"facebook",
  "metadata":{"source":{"id":"facebook message id","delivery_state":"seen"}},
  "sender":{"id":"github:12345"}}}`

const conversationExample = `{
"id":"2e1da639-7152-4595-b43e-2117a55ac260",
"created_at":"2020-10-25T21:24:54.560Z",
"channel_id":"b9963564-1167-5b5f-9f61-7c1a82573320",
"metadata":{"contact":{"display_name":"Grace Hopper"}},
"last_message":{
  "id":"5b1a4c0e-8b4d-4a51-9f0c-1d1f4a5b6c7d",
  "content":{"text":"Hello World"},
  "delivery_state":"delivered",
  "from_contact":true,
  "sent_at":"2020-10-25T21:24:54.560Z",
  "source":"facebook",
  "sender":{"id":"facebook:1234567890"}}}`

const channelExample = `{
"id":"771b8bb5-c611-4979-bfd9-f10bbddfcf9b",
"source":"facebook",
"source_channel_id":"fb-page-id-1",
"metadata":{"name":"My page 1","image_url":"https://endpoint.example/avatar.jpeg"},
"connected":true}`
