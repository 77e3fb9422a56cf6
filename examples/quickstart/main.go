// Quickstart is a host program with webhooks: it mounts outhook on its own mux, with one bbolt file, and shows the main job.
// A receiver subscribes over HTTP, events are published, and each delivery arrives, signed and verified; one attempt
// fails and is retried; and after a restart on the same file an event that was published while nothing ran is delivered.
//
//	go run ./examples/quickstart         stays up, with curl lines to try, until Ctrl-C
//	go run ./examples/quickstart -once   exits when it is done
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store/boltstore"
)

func main() {
	once := flag.Bool("once", false, "exit when the demonstration is over")
	addr := flag.String("addr", "127.0.0.1:0", "address of the host program")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, *addr, *once); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, addr string, once bool) error {
	dir, err := os.MkdirTemp("", "outhook-quickstart-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "outhook.db")

	// The receiver: somebody else's server, which answers its first delivery with a 500.
	key := signing.NewSecret()
	arrived := make(chan delivery, 100)
	receiver, err := serve("127.0.0.1:0", newReceiver(key, arrived))
	if err != nil {
		return err
	}
	defer receiver.Close()

	// The host: its own mux, with its own routes and outhook's.
	h, err := startHost(addr, file)
	if err != nil {
		return err
	}
	defer func() { h.stop() }()
	fmt.Fprintf(out, "The host serves http://%s and keeps its webhooks in %s.\n", h.server.addr, file)

	fmt.Fprintf(out, "\n1. The receiver subscribes over HTTP: POST /webhooks.subscribe\n")
	webhook, err := subscribe(ctx, h.server.addr, "http://"+receiver.addr+"/hook", key)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "   %s\n", webhook)

	fmt.Fprintf(out, "\n2. The host publishes Airy's four event types. The first attempt is answered with a 500 and retried:\n")
	for _, payload := range airyEvents() {
		e, err := events.From(payload)
		if err != nil {
			return err
		}
		if err := h.webhooks.Publish(ctx, e); err != nil {
			return err
		}
	}
	if err := show(ctx, out, arrived, 5); err != nil {
		return err
	}

	fmt.Fprintf(out, "\n3. The dispatcher stops; an event is published all the same; then host and file are closed and opened again:\n")
	h.stopDelivering()
	e, err := events.New("order.created", map[string]any{"order": 42, "item": "tea"})
	if err != nil {
		return err
	}
	if err := h.webhooks.Publish(ctx, e); err != nil {
		return err
	}
	if err := h.state(ctx, out, "before the restart"); err != nil {
		return err
	}
	addr = h.server.addr
	h.stop()
	if h, err = startHost(addr, file); err != nil {
		return err
	}
	if err := show(ctx, out, arrived, 1); err != nil {
		return err
	}
	if err := h.settled(ctx); err != nil {
		return err
	}
	if err := h.state(ctx, out, "after the restart"); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nDone: everything that was published has arrived.\n")
	if once {
		return nil
	}

	fmt.Fprintf(out, `
Now you: the host is up until Ctrl-C. What arrives is shown here.

  curl -d '{"text":"hello"}' http://%[1]s/say
  curl -X POST -H 'Content-Type: application/json' http://%[1]s/webhooks.list
  curl -H 'Content-Type: application/json' -d '{"url":"https://example.com/hook"}' http://%[1]s/webhooks.subscribe

`, h.server.addr)
	for {
		if err := show(ctx, out, arrived, 1); err != nil {
			return nil // Ctrl-C
		}
	}
}

// host is the program that has webhooks.
type host struct {
	server         *server
	store          *boltstore.Store
	webhooks       *dispatcher.Dispatcher
	stopDelivering func()
}

// startHost is all that a host needs: a store, a dispatcher that runs, and the endpoints on its mux.
func startHost(addr, file string) (*host, error) {
	s, err := boltstore.Open(file, nil)
	if err != nil {
		return nil, err
	}
	d, err := dispatcher.New(s, &dispatcher.Options{
		// The receiver of this demonstration is on this machine, where deliveries do not go otherwise.
		AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
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
	mux.HandleFunc("POST /say", h.say)
	h.server, err = serve(addr, mux)
	return h, err
}

func (h *host) stop() {
	h.server.Close()
	h.stopDelivering()
	h.store.Close()
}

// say is a route of the host's own: it publishes what it is sent.
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

// state prints what the store holds.
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

func subscribe(ctx context.Context, addr, url string, key signing.Secret) (string, error) {
	body, err := json.Marshal(map[string]any{"url": url, "name": "Quickstart", "signature_key": string(key)})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/webhooks.subscribe", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("subscribe: %s: %s", res.Status, answer)
	}
	return string(bytes.TrimSpace(answer)), err
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
	s := &server{Server: http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}, addr: l.Addr().String()}
	go s.Serve(l)
	return s, nil
}
