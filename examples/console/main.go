// Console is a host program with a login and two customers, acme and globex, on whose mux the
// console stands three times:
//
//	/admin/webhooks/    the host's staff, who see the webhooks of all customers
//	/webhooks/          customers who are logged in here, who see their own
//	/portal/webhooks/   customers who are logged in to another program, which hands them a link
//
// Orders are published in the background, to endpoints that work, fail now and then, or are gone.
//
//	go run ./examples/console         until Ctrl-C; it prints where to log in, and as whom
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "the address to serve")
	file := flag.String("file", "", "where webhooks are kept; in a folder that goes if empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, *addr, *file); err != nil {
		fmt.Fprintln(os.Stderr, "console:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. Then it takes no more requests, lets those that are under way finish,
// and deliveries too, and closes the store.
func run(ctx context.Context, out io.Writer, addr, file string) (err error) {
	if file == "" {
		dir, err := os.MkdirTemp("", "outhook-console-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		file = filepath.Join(dir, "outhook.db")
	}
	people, passwords, err := newAccounts()
	if err != nil {
		return err
	}
	shop, err := openShop(ctx, file)
	if err != nil {
		return err
	}
	// Not before the last request: a page that is being made reads the store.
	defer func() { err = errors.Join(err, shop.close()) }()
	handler, err := newHandler(shop, people)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Log in at http://%s/ as\n", listener.Addr())
	for _, a := range people.all {
		fmt.Fprintf(out, "  %-6s %s   %s\n", a.name, passwords[a.name], a.about)
	}

	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	fmt.Fprintln(out, "stopping")
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return server.Shutdown(grace)
}
