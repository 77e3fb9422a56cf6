// Quickstart is a host program with webhooks: it mounts outhook on its own mux, with one bbolt
// file. A receiver subscribes over HTTP, events are published, and each delivery arrives, signed
// and verified. One attempt fails and is retried. After a restart on the same file, an event is
// delivered that was published while no dispatcher ran. What was sent is on the console's pages.
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
	d := demonstration{out: out, file: filepath.Join(dir, "outhook.db"),
		arrived: make(chan delivery, 100)}

	// The receiver: the server of a customer, which answers its first delivery with a 500.
	key := signing.NewSecret()
	receiver, err := serve("127.0.0.1:0", newReceiver(key, d.arrived))
	if err != nil {
		return err
	}
	defer receiver.Close()

	// The host: its own mux, with its own routes and outhook's.
	if d.host, err = startHost(addr, d.file); err != nil {
		return err
	}
	defer func() { d.host.stop() }()
	d.say("The host serves http://%s and keeps its webhooks in %s.\n", d.host.server.addr, d.file)

	if err := d.subscribe(ctx, "http://"+receiver.addr+"/hook", key); err != nil {
		return err
	}
	if err := d.publish(ctx); err != nil {
		return err
	}
	if err := d.restart(ctx); err != nil {
		return err
	}
	d.say("\nDone: everything that was published has arrived. See it: http://%s/console/\n",
		d.host.server.addr)
	if once {
		return nil
	}
	d.stayUp(ctx)
	return nil
}

// demonstration is the state that the steps share.
type demonstration struct {
	out     io.Writer
	file    string
	host    *host
	arrived chan delivery
}

func (d *demonstration) say(format string, args ...any) { fmt.Fprintf(d.out, format, args...) }

func (d *demonstration) subscribe(ctx context.Context, url string, key signing.Secret) error {
	d.say("\n1. The receiver subscribes over HTTP: POST /webhooks.subscribe\n")
	webhook, err := subscribe(ctx, d.host.server.addr, url, key)
	if err != nil {
		return err
	}
	d.say("   %s\n", webhook)
	return nil
}

func (d *demonstration) publish(ctx context.Context) error {
	d.say("\n2. The host publishes Airy's four event types. The first attempt is answered with a " +
		"500 and retried:\n")
	for _, payload := range airyEvents() {
		e, err := events.From(payload)
		if err != nil {
			return err
		}
		if err := d.host.webhooks.Publish(ctx, e); err != nil {
			return err
		}
	}
	return show(ctx, d.out, d.arrived, 5)
}

func (d *demonstration) restart(ctx context.Context) error {
	d.say("\n3. The dispatcher stops; an event is published all the same; then host and file are " +
		"closed and opened again:\n")
	d.host.stopDelivering()
	e, err := events.New("order.created", map[string]any{"order": 42, "item": "tea"})
	if err != nil {
		return err
	}
	if err := d.host.webhooks.Publish(ctx, e); err != nil {
		return err
	}
	if err := d.host.state(ctx, d.out, "before the restart"); err != nil {
		return err
	}
	d.host.stop()
	again, err := startHost(d.host.server.addr, d.file)
	if err != nil {
		return err
	}
	d.host = again
	if err := show(ctx, d.out, d.arrived, 1); err != nil {
		return err
	}
	if err := d.host.settled(ctx); err != nil {
		return err
	}
	return d.host.state(ctx, d.out, "after the restart")
}

// stayUp shows what arrives until ctx ends.
func (d *demonstration) stayUp(ctx context.Context) {
	d.say(`
Now you: the host is up until Ctrl-C. What arrives is shown here.

  curl -d '{"text":"hello"}' http://%[1]s/say
  curl -X POST -H 'Content-Type: application/json' http://%[1]s/webhooks.list
  curl -H 'Content-Type: application/json' -d '{"url":"https://example.com/hook"}' \
    http://%[1]s/webhooks.subscribe

`, d.host.server.addr)
	for show(ctx, d.out, d.arrived, 1) == nil {
	}
}

func subscribe(ctx context.Context, addr, url string, key signing.Secret) (string, error) {
	body, err := json.Marshal(map[string]any{"url": url, "name": "Quickstart",
		"signature_key": string(key)})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/webhooks.subscribe",
		bytes.NewReader(body))
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
