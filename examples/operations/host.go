package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// maxAttempts is the number of attempts here, and disableAfter how long an endpoint may fail. The
// defaults are 12 attempts over two and a half days, and five days.
const (
	maxAttempts  = 3
	disableAfter = 3 * time.Second
)

// host is the program that has webhooks.
type host struct {
	server   *server
	webhooks *dispatcher.Dispatcher
	mails    chan string // to owners of webhooks
	stop     func()
}

func startHost(file string) (*host, error) {
	s, err := boltstore.Open(file, nil)
	if err != nil {
		return nil, err
	}
	h := &host{mails: make(chan string, 10)}
	h.webhooks, err = dispatcher.New(s, &dispatcher.Options{
		// The endpoint is on this machine, to which deliveries are refused by default.
		AllowLoopback: true,
		Backoff: dispatcher.Backoff{Initial: 200 * time.Millisecond, Multiplier: 2,
			MaxAttempts: maxAttempts},
		DisableAfter: disableAfter,
		Logger:       slog.New(slog.DiscardHandler),
		Observer:     &dispatcher.Observer{OnDisabled: h.notify},
	})
	if err != nil {
		s.Close()
		return nil, err
	}
	mux := http.NewServeMux()
	err = httpapi.Mount(mux, h.webhooks, httpapi.NoAuth, nil)
	if err == nil {
		h.server, err = serve(mux)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		h.webhooks.Run(ctx)
	}()
	h.stop = func() {
		h.server.Close()
		cancel()
		<-stopped
		s.Close()
	}
	return h, nil
}

// notify tells the owner of a webhook that it was switched off. A real host sends an e-mail from
// here.
func (h *host) notify(sub store.Subscription) {
	h.mails <- fmt.Sprintf("your webhook %q was switched off: %s", sub.Name, sub.DisabledReason)
}

func (h *host) publish(ctx context.Context, order int) error {
	e, err := events.New("order.created", map[string]int{"order": order})
	if err != nil {
		return err
	}
	return h.webhooks.Publish(ctx, e)
}

// settled waits until nothing is pending.
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

// server is an http.Server on a port of its own.
type server struct {
	http.Server
	addr string
}

func serve(h http.Handler) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{Server: http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second},
		addr: l.Addr().String()}
	go s.Serve(l)
	return s, nil
}
