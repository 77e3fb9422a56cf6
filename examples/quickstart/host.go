package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/httpapi/console"
	"github.com/outhook/outhook/store/boltstore"
)

// host is the program that has webhooks.
type host struct {
	addr           string
	webhooks       *dispatcher.Dispatcher
	stopDelivering func()
	stop           func()
}

// startHost shows what a host needs: a store, a dispatcher that runs, and on its own mux the
// endpoints and the console.
func startHost(addr, file string) (*host, error) {
	s, err := boltstore.Open(file, nil)
	if err != nil {
		return nil, err
	}
	d, err := dispatcher.New(s, &dispatcher.Options{
		AllowLoopback: true, // the receiver is on this machine; refused by default
		Backoff:       dispatcher.Backoff{Initial: 500 * time.Millisecond},
		Logger:        slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	h := &host{webhooks: d}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /say", h.say) // the host's own
	if err := errors.Join(
		httpapi.Mount(mux, d, httpapi.NoAuth, nil),
		console.Mount(mux, "/console/", d, everybody, &console.Options{Title: "Quickstart"}),
	); err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(listener)
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() { d.Run(ctx); close(stopped) }()

	h.addr = listener.Addr().String()
	h.stopDelivering = func() { cancel(); <-stopped }
	h.stop = func() { server.Close(); h.stopDelivering(); s.Close() }
	return h, nil
}

// everybody is the operator here. A program that others can reach asks who it is.
func everybody(*http.Request) (console.Access, error) {
	return console.Access{AnyTenant: true, May: console.MayAll, Actor: "quickstart"}, nil
}

func (h *host) publish(ctx context.Context, eventType string, payload any) error {
	e, err := events.New(eventType, payload)
	if err != nil {
		return err
	}
	return h.webhooks.Publish(ctx, e) // nil: it will be delivered, even if this process dies now
}

// say is a route of the host: it publishes the text that it gets.
func (h *host) say(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
	if err == nil {
		err = h.publish(r.Context(), "host.said", json.RawMessage(body))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintln(w, "published")
}

// figures shows what is in the store once no more is pending than that: an answer arrives a moment
// before it is recorded.
func (h *host) figures(ctx context.Context, out io.Writer, when string, pending int) error {
	for {
		s, err := h.webhooks.Stats(ctx)
		if err != nil {
			return err
		}
		if s.Pending <= pending {
			fmt.Fprintf(out, "   %s: %d subscription, %d pending\n", when, s.Subscriptions, s.Pending)
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
}
