package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

const (
	conversation = "5f1c7a54-7a3b-4a43-8a51-1d6a6c8cf8c1"
	channel      = "e2a9c0d6-8f0b-4b57-9c77-4a1f0b8a7f42"
)

// host is a chat with one conversation.
type host struct {
	out        io.Writer
	addr       string
	webhooks   *dispatcher.Dispatcher
	subscribed chan struct{} // closed when the bot has subscribed
	answered   chan struct{} // closed when a message of the bot's has been delivered to the contact
	stop       func()
}

func startHost(out io.Writer) (*host, error) {
	dir, err := os.MkdirTemp("", "outhook-chatbot-")
	if err != nil {
		return nil, err
	}
	s, err := boltstore.Open(filepath.Join(dir, "chat.db"), nil)
	if err != nil {
		return nil, err
	}
	h := &host{out: out, subscribed: make(chan struct{}), answered: make(chan struct{})}
	var first sync.Once
	h.webhooks, err = dispatcher.New(s, &dispatcher.Options{
		AllowLoopback: true, // the bot is on this machine
		EventTypes:    events.Airy(),
		Logger:        slog.New(slog.DiscardHandler),
		Observer: &dispatcher.Observer{
			OnSubscription: func(store.Subscription) { first.Do(func() { close(h.subscribed) }) },
		},
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	if err := httpapi.Mount(mux, h.webhooks, httpapi.NoAuth, nil); err != nil {
		return nil, err
	}
	var answered sync.Once
	mux.HandleFunc("POST /messages.send", func(w http.ResponseWriter, r *http.Request) {
		if h.send(w, r) {
			answered.Do(func() { close(h.answered) })
		}
	})

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h.addr = l.Addr().String()
	server := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second}
	go server.Serve(l)
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		h.webhooks.Run(ctx)
	}()
	h.stop = func() {
		server.Close()
		cancel()
		<-stopped
		s.Close()
		os.RemoveAll(dir)
	}
	return h, nil
}

// contactSays takes a message from the contact.
func (h *host) contactSays(ctx context.Context, text string) error {
	fmt.Fprintf(h.out, "contact: %s\n", text)
	m, err := newMessage(text, true, events.DeliveryStateDelivered)
	if err != nil {
		return err
	}
	return h.publish(ctx, events.MessageCreated{ConversationID: conversation, ChannelID: channel,
		Message: m})
}

// send is Airy's /messages.send: it takes a message for the contact, delivers it, and publishes an
// event for each step.
func (h *host) send(w http.ResponseWriter, r *http.Request) bool {
	var req struct {
		ConversationID string `json:"conversation_id"`
		Message        struct {
			Text string `json:"text"`
		} `json:"message"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&req); err != nil ||
		req.ConversationID != conversation {
		http.Error(w, "want a conversation_id and a message", http.StatusBadRequest)
		return false
	}
	m, err := newMessage(req.Message.Text, false, events.DeliveryStatePending)
	if err == nil {
		err = h.publish(r.Context(), events.MessageCreated{ConversationID: conversation,
			ChannelID: channel, Message: m})
	}
	if err == nil {
		fmt.Fprintf(h.out, "host: to the contact: %s\n", req.Message.Text)
		m.DeliveryState = events.DeliveryStateDelivered
		err = h.publish(r.Context(), events.MessageUpdated{ConversationID: conversation,
			ChannelID: channel, Message: m})
	}
	if err != nil {
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return false
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(m)
	return true
}

func (h *host) publish(ctx context.Context, p events.Payload) error {
	e, err := events.From(p)
	if err != nil {
		return err
	}
	return h.webhooks.Publish(ctx, e)
}

// wait waits until nothing is pending.
func (h *host) wait(ctx context.Context) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if s, err := h.webhooks.Stats(ctx); err != nil || s.Pending == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func newMessage(text string, fromContact bool, state events.DeliveryState) (events.Message, error) {
	content, err := json.Marshal(map[string]string{"text": text})
	return events.Message{
		ID:            uuid.NewString(),
		Content:       content,
		DeliveryState: state,
		FromContact:   fromContact,
		SentAt:        time.Now(),
		Source:        "chatplugin",
		Sender:        events.Sender{ID: map[bool]string{true: "contact", false: "bot"}[fromContact]},
	}, err
}
