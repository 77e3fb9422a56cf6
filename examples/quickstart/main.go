// Quickstart is a host program with webhooks: it mounts outhook on its own mux, with one bbolt
// file. A receiver subscribes over HTTP, events are published, and each delivery arrives, signed
// and verified. One attempt fails and is retried. After a restart on the same file, an event is
// delivered that was published while no dispatcher ran. What was sent is on the console's pages.
//
//	go run ./examples/quickstart         stays up, with curl lines to try, until Ctrl-C
//	go run ./examples/quickstart -once   exits when it is done
//
// host.go is what a host needs, receiver.go what a receiver needs, and this file has them meet.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
)

func main() {
	once := flag.Bool("once", false, "exit when the demonstration is over")
	addr := flag.String("addr", "127.0.0.1:0", "`address` of the host program")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, *addr, *once); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, addr string, once bool) error {
	say := func(format string, args ...any) { fmt.Fprintf(out, format, args...) }
	dir, err := os.MkdirTemp("", "outhook-quickstart-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "outhook.db")
	h, err := startHost(addr, file)
	if err != nil {
		return err
	}
	defer func() { h.stop() }()
	say("The host serves http://%s and keeps its webhooks in %s.\n", h.addr, file)

	say("\n1. The receiver subscribes over HTTP: POST /webhooks.subscribe\n")
	key := signing.NewSecret()
	r, err := startReceiver(key)
	if err != nil {
		return err
	}
	defer r.stop()
	webhook, err := subscribe(ctx, h.addr, r.url, key)
	if err != nil {
		return err
	}
	say("   %s\n", webhook)

	say("\n2. The host publishes Airy's four event types. " +
		"The first attempt is answered with a 500 and retried:\n")
	for _, t := range events.Airy() {
		if err := h.publish(ctx, t.Name, t.Example); err != nil {
			return err
		}
	}
	if err := r.show(ctx, out, 5); err != nil {
		return err
	}

	say("\n3. The dispatcher stops; an event is published all the same; " +
		"then host and file are closed and opened again:\n")
	h.stopDelivering()
	if err := h.publish(ctx, "order.created", map[string]any{"order": 42, "item": "tea"}); err != nil {
		return err
	}
	if err := h.figures(ctx, out, "before the restart", 1); err != nil {
		return err
	}
	h.stop()
	if h, err = startHost(h.addr, file); err != nil {
		return err
	}
	if err := r.show(ctx, out, 1); err != nil {
		return err
	}
	if err := h.figures(ctx, out, "after the restart", 0); err != nil {
		return err
	}

	say("\nDone: everything that was published has arrived. See it: http://%s/console/\n", h.addr)
	if once {
		return nil
	}
	say(`
Now you: the host is up until Ctrl-C. What arrives is shown here.

  curl -d '{"text":"hello"}' http://%[1]s/say
  curl -X POST -H 'Content-Type: application/json' http://%[1]s/webhooks.list
  curl -H 'Content-Type: application/json' -d '{"url":"https://example.com/hook"}' \
    http://%[1]s/webhooks.subscribe

`, h.addr)
	for r.show(ctx, out, 1) == nil {
	}
	return nil
}

// subscribe is what a customer's program sends, and returns the answer.
func subscribe(ctx context.Context, host, url string, key signing.Secret) ([]byte, error) {
	body, err := json.Marshal(map[string]string{
		"url": url, "name": "Quickstart", "signature_key": string(key),
	})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		"http://"+host+"/webhooks.subscribe", bytes.NewReader(body))
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
		err = fmt.Errorf("subscribe: %s: %s", res.Status, answer)
	}
	return bytes.TrimSpace(answer), err
}
