package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
)

// bot answers the messages of contacts. It uses only the host's HTTP API and webhooks.
type bot struct {
	out  io.Writer
	host string

	mu sync.Mutex // held while an event is handled, so that their lines don't mix
}

// runBot subscribes to the host and answers until ctx ends.
func runBot(ctx context.Context, out io.Writer, host string) error {
	b := &bot{out: out, host: host}
	key := signing.NewSecret()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	verifier := signing.Verifier{Keys: []signing.Secret{key}}
	once := &signing.Once{}
	server := &http.Server{
		Handler:     verifier.Handler(once.Handler(http.HandlerFunc(b.receive))),
		ReadTimeout: 10 * time.Second,
	}
	go server.Serve(l)
	defer server.Close()

	_, err = b.call(ctx, "/webhooks.subscribe", map[string]any{
		"name":          "Tea bot",
		"url":           "http://" + l.Addr().String(),
		"events":        []string{events.TypeMessageCreated, events.TypeMessageUpdated},
		"signature_key": string(key),
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// receive takes one delivery. It answers 200 once the event is handled, so that it does not come
// again.
func (b *bot) receive(w http.ResponseWriter, r *http.Request) {
	var e struct {
		Type    string                `json:"type"`
		Payload events.MessageCreated `json:"payload"` // that of message.updated has the same fields
	}
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
		http.Error(w, "not an event", http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.handle(r.Context(), e.Type, e.Payload); err != nil {
		http.Error(w, "try again", http.StatusServiceUnavailable)
	}
}

func (b *bot) handle(ctx context.Context, eventType string, p events.MessageCreated) error {
	var content struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(p.Message.Content, &content); err != nil {
		return err
	}
	switch {
	case eventType == events.TypeMessageCreated && p.Message.FromContact:
		fmt.Fprintf(b.out, "bot: got message.created, signature verified: %q\n", content.Text)
		_, err := b.call(ctx, "/messages.send", map[string]any{
			"conversation_id": p.ConversationID,
			"message":         map[string]string{"text": fmt.Sprintf("You said %q. Yes!", content.Text)},
		})
		return err
	case eventType == events.TypeMessageUpdated:
		fmt.Fprintf(b.out, "bot: got message.updated: my message is %s\n", p.Message.DeliveryState)
	}
	return nil // its own message.created, for one
}

func (b *bot) call(ctx context.Context, path string, body any) ([]byte, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.host+path,
		bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, res.Status, answer)
	}
	return answer, err
}
