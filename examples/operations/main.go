// Operations shows a day on which an endpoint is down. Deliveries to it die, the dispatcher
// switches its webhook off, and the owner is told. The program looks at all that through the HTTP
// API, repairs the endpoint, switches the webhook on, replays what it missed, and shows that
// everything has arrived. It takes seconds instead of days.
//
//	go run ./examples/operations
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/outhook/outhook/signing"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "operations:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "outhook-operations-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	key := signing.NewSecret()
	theirs := newEndpoint(key)
	receiver, err := serve(theirs.handler)
	if err != nil {
		return err
	}
	defer receiver.Close()
	h, err := startHost(filepath.Join(dir, "outhook.db"))
	if err != nil {
		return err
	}
	defer h.stop()

	d := &day{out: out, host: h, theirs: theirs}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return d.subscribe(ctx, receiver.addr, key) },
		d.goodMorning, d.outage, d.look, d.switchOff, d.repair, d.replay,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// day is the state of the demonstration.
type day struct {
	out     io.Writer
	host    *host
	theirs  *endpoint
	webhook string // its ID
	order   int    // the number of the last order
}

func (d *day) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

func (d *day) subscribe(ctx context.Context, addr string, key signing.Secret) error {
	var webhook struct{ ID string }
	err := d.host.call(ctx, "subscribe", map[string]any{
		"url": "http://" + addr + "/hook", "name": "CRM", "signature_key": string(key),
	}, &webhook)
	d.webhook = webhook.ID
	return err
}

// orders publishes n events and waits until nothing is pending.
func (d *day) orders(ctx context.Context, n int) error {
	for range n {
		d.order++
		if err := d.host.publish(ctx, d.order); err != nil {
			return err
		}
	}
	return d.host.settled(ctx)
}

func (d *day) goodMorning(ctx context.Context) error {
	err := d.orders(ctx, 2)
	d.say("1. All is well: 2 orders published, %d arrived.", d.theirs.count())
	return err
}

func (d *day) outage(ctx context.Context) error {
	d.theirs.down.Store(true)
	err := d.orders(ctx, 3)
	d.say("\n2. The endpoint is down: 3 orders published, still %d arrived. Each was tried %d times.",
		d.theirs.count(), maxAttempts)
	return err
}

// look shows what the owner of the webhook, or an operator, sees.
func (d *day) look(ctx context.Context) error {
	d.say("\n3. What the API shows, from POST /webhooks.deliveries, .attempts and .stats:")
	dead, err := d.deliveries(ctx, "dead")
	if err != nil {
		return err
	}
	for _, one := range dead {
		d.say("   %s %s (attempts: %d): %s", one.EventType, one.State, one.Attempts, one.LastError)
	}
	var attempts struct {
		Data []struct {
			Number, Status int
			Response       string
		}
	}
	err = d.host.call(ctx, "attempts",
		map[string]any{"webhook_id": d.webhook, "event_id": dead[0].EventID}, &attempts)
	if err != nil {
		return err
	}
	for _, a := range attempts.Data {
		d.say("   attempt %d of the last: %d %q", a.Number, a.Status, a.Response)
	}
	return d.stats(ctx)
}

func (d *day) switchOff(ctx context.Context) error {
	d.say("\n4. It stays down, and its failures reach the limit; what is published now is kept for " +
		"later:")
	if err := d.orders(ctx, 1); err != nil {
		return err
	}
	select {
	case mail := <-d.host.mails: // sent by Observer.OnDisabled
		d.say("   mail to the owner: %s", mail)
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := d.orders(ctx, 1); err != nil {
		return err
	}
	canceled, err := d.deliveries(ctx, "canceled")
	if err != nil {
		return err
	}
	for _, one := range canceled {
		d.say("   %s %s (attempts: %d): %s", one.EventType, one.State, one.Attempts, one.LastError)
	}
	return d.stats(ctx)
}

func (d *day) repair(ctx context.Context) error {
	d.theirs.down.Store(false)
	var pong struct{ Status int }
	if err := d.host.call(ctx, "ping", map[string]any{"id": d.webhook}, &pong); err != nil {
		return err
	}
	d.say(
		"\n5. The endpoint is repaired: POST /webhooks.ping says %d. Its owner switches the webhook on.",
		pong.Status)
	return d.host.call(ctx, "update", map[string]any{"id": d.webhook, "status": "Subscribed"}, nil)
}

func (d *day) replay(ctx context.Context) error {
	missed := map[string]any{"webhook_id": d.webhook, "state": []string{"dead", "canceled"},
		"dry_run": true}
	var n struct{ Count int }
	if err := d.host.call(ctx, "replay", missed, &n); err != nil {
		return err
	}
	d.say("\n6. POST /webhooks.replay of what is dead or canceled: %d in a dry run;", n.Count)
	missed["dry_run"] = false
	if err := d.host.call(ctx, "replay", missed, &n); err != nil {
		return err
	}
	if err := d.host.settled(ctx); err != nil {
		return err
	}
	delivered, err := d.deliveries(ctx, "delivered")
	d.say("   %d replayed, %d orders delivered in all.", n.Count, len(delivered))
	if got := d.theirs.count(); err == nil && got != d.order {
		err = fmt.Errorf("%d of %d orders have arrived", got, d.order)
	}
	if err == nil {
		d.say("\nDone: all %d orders have arrived.", d.order)
	}
	return err
}
