package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/signing"
)

// receiver is the server of a customer.
type receiver struct {
	url     string
	arrived chan string // a line for each delivery
	stop    func() error
}

// startReceiver starts one that answers its first delivery with a 500. Only requests whose
// signature is right reach its handler.
func startReceiver(key signing.Secret) (*receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{url: fmt.Sprintf("http://%s/hook", listener.Addr()),
		arrived: make(chan string, 100)}
	var failed atomic.Bool
	take := func(w http.ResponseWriter, req *http.Request) {
		status := http.StatusOK
		if failed.CompareAndSwap(false, true) {
			status = http.StatusInternalServerError
		}
		body, err := io.ReadAll(req.Body)
		var event struct{ Type string }
		if err != nil || json.Unmarshal(body, &event) != nil {
			status = http.StatusBadRequest
		}
		w.WriteHeader(status)
		r.arrived <- fmt.Sprintf("attempt %s of %-21s answered %d: %.60s…",
			req.Header.Get(signing.HeaderAttempt), event.Type, status, body)
	}
	verifier := signing.Verifier{Keys: []signing.Secret{key}}
	server := &http.Server{Handler: verifier.Handler(http.HandlerFunc(take)),
		ReadHeaderTimeout: 10 * time.Second}
	r.stop = server.Close
	go server.Serve(listener)
	return r, nil
}

// show prints the next n deliveries that arrive.
func (r *receiver) show(ctx context.Context, out io.Writer, n int) error {
	for range n {
		select {
		case line := <-r.arrived:
			fmt.Fprintln(out, "   arrived, signature verified:", line)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
