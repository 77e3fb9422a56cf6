package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/store/boltstore"
)

// host is the program that has webhooks.
type host struct {
	server         *server
	store          *boltstore.Store
	webhooks       *dispatcher.Dispatcher
	stopDelivering func()
}

// startHost shows what a host needs: a store, a running dispatcher, and the endpoints on its mux.
func startHost(addr, file string) (*host, error) {
	s, err := boltstore.Open(file, nil)
	if err != nil {
		return nil, err
	}
	d, err := dispatcher.New(s, &dispatcher.Options{
		// The receiver is on this machine, to which deliveries are refused by default.
		AllowLoopback: true,
		Backoff:       dispatcher.Backoff{Initial: 500 * time.Millisecond},
		Logger:        slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		d.Run(ctx)
	}()
	h := &host{store: s, webhooks: d, stopDelivering: func() { cancel(); <-stopped }}

	mux := http.NewServeMux()
	if err := httpapi.Mount(mux, d, httpapi.NoAuth, nil); err != nil {
		return nil, err
	}
	if err := mountConsole(mux, h); err != nil {
		return nil, err
	}
	mux.HandleFunc("POST /say", h.say)
	h.server, err = serve(addr, mux)
	return h, err
}

func (h *host) stop() {
	h.server.Close()
	h.stopDelivering()
	h.store.Close()
}

// say is a route of the host: it publishes the text that it gets.
func (h *host) say(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	e, err := events.New("host.said", json.RawMessage(body))
	if err == nil {
		err = h.webhooks.Publish(r.Context(), e)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintln(w, "published", e.ID)
}

// state prints the store's figures.
func (h *host) state(ctx context.Context, out io.Writer, when string) error {
	s, err := h.webhooks.Stats(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "   %s: %d subscription, %d pending\n", when, s.Subscriptions, s.Pending)
	return nil
}

// settled waits until nothing is pending: an answer arrives a moment before it is recorded.
func (h *host) settled(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if s, err := h.webhooks.Stats(ctx); err != nil || s.Pending == 0 {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// server is an http.Server on its own port.
type server struct {
	http.Server
	addr string
}

func serve(addr string, h http.Handler) (*server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	s := &server{Server: http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second},
		addr: l.Addr().String()}
	go s.Serve(l)
	return s, nil
}
