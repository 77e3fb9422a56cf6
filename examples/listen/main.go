// Listen brings the deliveries of a running host to a server on this machine, without a tunnel: it
// reads them by /webhooks.poll and posts each as the host would have, with the same headers,
// signatures and body. It shows what the server answers.
//
//	go run ./examples/listen -host https://app.example -header "Authorization: Bearer …" \
//		-to http://localhost:3000/webhooks
//
// Without -id it makes a webhook for the time that it runs, and prints its signature key. The host
// must allow webhooks without a URL (dispatcher.Options.AllowPull).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/outhook/outhook/signing"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "listen:", err)
		os.Exit(1)
	}
}

// run listens until ctx ends, which is no error.
func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("listen", flag.ContinueOnError)
	at := flags.String("host", "http://127.0.0.1:8080", "where the host has mounted the endpoints")
	to := flags.String("to", "http://127.0.0.1:3000/", "where to post deliveries")
	id := flags.String("id", "", "a webhook without a url; if empty, one is made for the time being")
	types := flags.String("events", "",
		"event types of the one that is made, with commas; if empty, all")
	header := flags.String("header", "", `a header for the host, such as "Authorization: Bearer …"`)
	if err := flags.Parse(args); err != nil {
		return err
	}
	h := &host{base: strings.TrimSuffix(*at, "/"), header: *header}
	if *id == "" {
		key := signing.NewSecret()
		made, err := h.subscribe(ctx, key, *types)
		if err != nil {
			return err
		}
		*id = made
		fmt.Printf("webhook %s, signature_key %s\n", made, string(key))
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			h.delete(ctx, made)
		}()
	}
	return listen(ctx, h, *id, *to)
}

// listen reads deliveries and posts them, one after another. Each answer of the server counts,
// whatever its status: it is shown, and the delivery can be sent again by the host. Only while the
// server can't be reached at all does it wait, and the host keeps what comes.
func listen(ctx context.Context, h *host, id, to string) error {
	cursor := ""
	for ctx.Err() == nil {
		answer, err := h.poll(ctx, id, cursor)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			var refused *refusal
			if errors.As(err, &refused) && refused.final() {
				return err
			}
			fmt.Println("the host:", err)
			pause(ctx)
			continue
		}
		for i := range answer.Data {
			for !forward(ctx, &answer.Data[i], to) {
				if pause(ctx); ctx.Err() != nil {
					return nil // it is not acknowledged, so the next run gets it
				}
			}
		}
		cursor = answer.Cursor
	}
	return nil
}

// pause waits a second, or until ctx ends.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Second):
	}
}
