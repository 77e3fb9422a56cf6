package events_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
)

func message() events.Message {
	return events.Message{
		ID:            "m1",
		Content:       json.RawMessage(`{"text":"<Hello> \u0026 World"}`),
		DeliveryState: events.DeliveryStateDelivered,
		FromContact:   true,
		SentAt:        time.Date(2020, 10, 25, 23, 24, 54, 560_999_999, time.FixedZone("", 2*3600)),
		Source:        "facebook",
		Sender:        events.Sender{ID: "github:12345"},
	}
}

const messageJSON = `{"id":"m1","content":{"text":"<Hello> \u0026 World"},"delivery_state":"delivered","from_contact":true,` +
	`"sent_at":"2020-10-25T21:24:54.560Z","source":"facebook","sender":{"id":"github:12345"}}`

func TestAiryPayloads(t *testing.T) {
	withMetadata := message()
	withMetadata.Metadata = json.RawMessage(`{"source":{"delivery_state":"seen"}}`)
	const metadataJSON = `{"id":"m1","content":{"text":"<Hello> \u0026 World"},"delivery_state":"delivered","from_contact":true,` +
		`"sent_at":"2020-10-25T21:24:54.560Z","source":"facebook","metadata":{"source":{"delivery_state":"seen"}},"sender":{"id":"github:12345"}}`

	for _, tt := range []struct {
		name    string
		payload events.Payload
		typ     string
		want    string
	}{
		{"message.created", events.MessageCreated{ConversationID: "c1", ChannelID: "ch1",
			Message: message()}, "message.created",
			`{"conversation_id":"c1","channel_id":"ch1","message":` + messageJSON + `}`},
		{"message.created, pointer", &events.MessageCreated{ConversationID: "c1", ChannelID: "ch1",
			Message: message()}, "message.created",
			`{"conversation_id":"c1","channel_id":"ch1","message":` + messageJSON + `}`},
		{"message.updated", events.MessageUpdated{ConversationID: "c1", ChannelID: "ch1",
			Message: withMetadata}, "message.updated",
			`{"conversation_id":"c1","channel_id":"ch1","message":` + metadataJSON + `}`},
		{"conversation.updated", events.ConversationUpdated{ID: "c1", CreatedAt: time.UnixMilli(0),
			ChannelID: "ch1",
			Metadata:  json.RawMessage(`{"n":1.0}`), LastMessage: message()}, "conversation.updated",
			`{"id":"c1","created_at":"1970-01-01T00:00:00.000Z","channel_id":"ch1","metadata":{"n":1.0},"last_message":` + messageJSON + `}`},
		{"conversation.updated without metadata",
			events.ConversationUpdated{ID: "c1", CreatedAt: time.UnixMilli(1), ChannelID: "ch1",
				LastMessage: message()}, "conversation.updated",
			`{"id":"c1","created_at":"1970-01-01T00:00:00.001Z","channel_id":"ch1","metadata":{},"last_message":` + messageJSON + `}`},
		{"channel.updated", events.ChannelUpdated{ID: "ch1", Source: "facebook",
			SourceChannelID: "fb-page-id-1",
			Metadata:        json.RawMessage(`{"name":"<My page>"}`), Connected: true}, "channel.updated",
			`{"id":"ch1","source":"facebook","source_channel_id":"fb-page-id-1","metadata":{"name":"<My page>"},"connected":true}`},
		{"channel.updated without metadata", events.ChannelUpdated{ID: "ch1"}, "channel.updated",
			`{"id":"ch1","source":"","source_channel_id":"","metadata":{},"connected":false}`},
		{"empty message", events.MessageCreated{}, "message.created",
			`{"conversation_id":"","channel_id":"","message":{"id":"","content":null,"delivery_state":"","from_contact":false,` +
				`"sent_at":"0001-01-01T00:00:00.000Z","source":"","sender":{"id":""}}}`},
	} {
		e, err := events.From(tt.payload)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if e.Type != tt.typ || string(e.Payload) != tt.want {
			t.Errorf("%s: type %s, payload\n%s, want %s,\n%s", tt.name, e.Type, e.Payload, tt.typ, tt.want)
		}
	}
}

func TestAiryPayloadsAreReadBack(t *testing.T) {
	c := events.ConversationUpdated{ID: "c1", CreatedAt: time.UnixMilli(7).UTC(), ChannelID: "ch1",
		Metadata: json.RawMessage(`{"n":1.0}`), LastMessage: message()}
	c.LastMessage.SentAt = c.LastMessage.SentAt.UTC().Truncate(time.Millisecond)
	c.LastMessage.Content = json.RawMessage(`"x"`)
	b, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var back events.ConversationUpdated
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, c) {
		t.Errorf("read back\n%+v, want\n%+v", back, c)
	}
}

func TestMessageReadsOtherTimes(t *testing.T) {
	want := time.Date(2020, 10, 25, 21, 24, 54, 0, time.UTC)
	for _, s := range []string{"2020-10-25T21:24:54Z", "2020-10-25T21:24:54.000000Z",
		"2020-10-25T23:24:54+02:00"} {
		var m events.Message
		if err := json.Unmarshal([]byte(`{"sent_at":"`+s+`"}`), &m); err != nil || !m.SentAt.Equal(want) {
			t.Errorf("%s: read as %v, %v, want %v", s, m.SentAt, err, want)
		}
	}
}

// decodeStrictly decodes a payload of one of Airy's types, and fails when it has a field that the
// type lacks.
func decodeStrictly(t *testing.T, name string, raw []byte) events.Payload {
	t.Helper()
	types := map[string]events.Payload{
		events.TypeMessageCreated:      new(events.MessageCreated),
		events.TypeMessageUpdated:      new(events.MessageUpdated),
		events.TypeConversationUpdated: new(events.ConversationUpdated),
		events.TypeChannelUpdated:      new(events.ChannelUpdated),
	}
	p, ok := types[name]
	if !ok {
		t.Fatalf("%s is none of Airy's types", name)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(p); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if got := p.EventType(); got != name {
		t.Fatalf("%T.EventType() = %q, want %q", p, got, name)
	}
	return p
}
