package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

var options = &dispatcher.Options{
	AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
}

// deliver publishes an event to an endpoint of its own and waits until it is there.
func deliver(ctx context.Context, d *dispatcher.Dispatcher) error {
	arrived := make(chan struct{}, 1)
	endpoint := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
	}))
	defer endpoint.Close()
	if _, err := d.Subscribe(ctx, store.Subscription{URL: endpoint.URL}); err != nil {
		return err
	}
	e, err := events.New("host.said", "hello")
	if err != nil {
		return err
	}
	if err := d.Publish(ctx, e); err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- d.Run(running) }()
	select {
	case <-arrived:
	case <-ctx.Done():
		err = ctx.Err()
	}
	stop()
	if ended := <-ended; ended != nil {
		return ended
	}
	return err
}
