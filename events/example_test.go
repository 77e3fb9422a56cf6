package events_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/events"
)

func ExampleNew() {
	e, err := events.New("order.paid", map[string]any{"order": 1042, "total": "12.50", "note": "<3"})
	if err != nil {
		fmt.Println(err)
		return
	}
	e.Time = time.UnixMilli(1603661094560) // when it really happened; New says now

	body, err := e.Body()
	fmt.Println(string(body), err)
	// Output:
	// {"type":"order.paid","timestamp":1603661094560,"payload":{"note":"<3","order":1042,"total":"12.50"}} <nil>
}

func ExampleNew_invalid() {
	_, err := events.New("order.paid", make(chan int))
	var invalid *events.InvalidError
	fmt.Println(errors.As(err, &invalid), invalid.Field)

	_, err = events.New("order..paid", 1042)
	fmt.Println(err)
	// Output:
	// true payload
	// type "order..paid" has an empty segment; write it without a leading, trailing or double dot
}

func ExampleFrom() {
	e, err := events.From(events.MessageCreated{
		ConversationID: "c1",
		ChannelID:      "ch1",
		Message: events.Message{
			ID:            "m1",
			Content:       json.RawMessage(`{"text":"Hello World"}`),
			DeliveryState: events.DeliveryStatePending,
			SentAt:        time.Date(2020, 10, 25, 21, 24, 54, 560e6, time.UTC),
			Source:        "facebook",
			Sender:        events.Sender{ID: "github:12345"},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Type)
	fmt.Println(string(e.Payload))

	var received events.MessageCreated // a receiver reads it back
	err = json.Unmarshal(e.Payload, &received)
	fmt.Println(received.Message.SentAt, err)
	// Output:
	// message.created
	// {"conversation_id":"c1","channel_id":"ch1","message":{"id":"m1","content":{"text":"Hello World"},"delivery_state":"pending","from_contact":false,"sent_at":"2020-10-25T21:24:54.560Z","source":"facebook","sender":{"id":"github:12345"}}}
	// 2020-10-25 21:24:54.56 +0000 UTC <nil>
}

func ExampleMatch() {
	for _, eventType := range []string{"message.created", "message.reaction.added", "message",
		"messages.x"} {
		fmt.Println(eventType, events.Match("message.*", eventType))
	}
	// Output:
	// message.created true
	// message.reaction.added true
	// message false
	// messages.x false
}

func ExamplePatterns() {
	fmt.Println(events.Patterns("message.reaction.added"))
	// Output:
	// [message.reaction.added message.reaction.* message.*]
}

func ExampleAiry() {
	for _, t := range events.Airy() {
		fmt.Println(t.Name+":", t.Description)
	}
	// Output:
	// message.created: A message was sent to a contact or received from one.
	// message.updated: A message changed: its delivery state, its content or its metadata.
	// conversation.updated: A conversation got a new message, or its metadata changed.
	// channel.updated: A channel was connected or disconnected, or its metadata changed.
}
