package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
)

// delivery is a request that the receiver got.
type delivery struct {
	attempt  string
	body     []byte
	answered int
}

// newReceiver returns the server of a customer. Only verified deliveries reach the function; the
// first answer is a 500.
func newReceiver(key signing.Secret, arrived chan<- delivery) http.Handler {
	var requests atomic.Int64
	return signing.Verifier{Keys: []signing.Secret{key}}.Handler(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				http.Error(w, "unreadable", http.StatusBadRequest)
				return
			}
			status := http.StatusOK
			if requests.Add(1) == 1 {
				status = http.StatusInternalServerError
			}
			w.WriteHeader(status)
			arrived <- delivery{attempt: r.Header.Get(signing.HeaderAttempt), body: body, answered: status}
		}))
}

// show prints the next n deliveries that arrive.
func show(ctx context.Context, out io.Writer, arrived <-chan delivery, n int) error {
	for range n {
		select {
		case d := <-arrived:
			var e struct {
				Type string `json:"type"`
			}
			if err := json.Unmarshal(d.body, &e); err != nil {
				return err
			}
			fmt.Fprintf(out, "   arrived, signature verified: attempt %s of %-21s answered %d: %.60s…\n",
				d.attempt, e.Type, d.answered, d.body)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// airyEvents are Airy's four event types, once each.
func airyEvents() []events.Payload {
	now := time.Now()
	message := events.Message{
		ID:            "0a5e3b4e-1b5c-4c7e-8f6b-3d9c8d0f5a11",
		Content:       json.RawMessage(`{"text":"Is tea still available?"}`),
		DeliveryState: events.DeliveryStatePending,
		FromContact:   true,
		SentAt:        now,
		Source:        "chatplugin",
		Sender:        events.Sender{ID: "9b5a"},
	}
	const conversation, channel = "5f1c7a54-7a3b-4a43-8a51-1d6a6c8cf8c1",
		"e2a9c0d6-8f0b-4b57-9c77-4a1f0b8a7f42"
	return []events.Payload{
		events.MessageCreated{ConversationID: conversation, ChannelID: channel, Message: message},
		events.MessageUpdated{ConversationID: conversation, ChannelID: channel, Message: message},
		events.ConversationUpdated{ID: conversation, CreatedAt: now, ChannelID: channel,
			LastMessage: message},
		events.ChannelUpdated{ID: channel, Source: "chatplugin", SourceChannelID: "shop",
			Connected: true},
	}
}
