package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	oevents "github.com/outhook/outhook/events"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

const secret = "secret-key-for-hmac-header"

// payload is 512 bytes.
var payload = json.RawMessage(`{"text":"` + strings.Repeat("x", 500) + `"}`)

// connections is the size of a pool.
const connections = 24

func newPool(ctx context.Context, url string) (*pgxpool.Pool, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = connections
	return pgxpool.NewWithConfig(ctx, cfg)
}

// outhook is a dispatcher on pgstore.
type outhook struct {
	store *pgstore.Store
	d     *dispatcher.Dispatcher
	pool  *pgxpool.Pool
}

func openOuthook(ctx context.Context, url string) (o *outhook, err error) {
	o = &outhook{}
	if o.pool, err = newPool(ctx, url); err != nil {
		return nil, err
	}
	if o.store, err = pgstore.New(o.pool, nil); err != nil {
		return nil, err
	}
	if err := o.store.Migrate(ctx); err != nil {
		return nil, err
	}
	o.d, err = dispatcher.New(o.store, &dispatcher.Options{
		Concurrency:     workers,
		PerSubscription: workers, // of all replicas together
		AllowPrefixes:   []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	return o, err
}

func (o *outhook) close() {
	_ = o.store.Close()
	o.pool.Close()
}

// subscribe makes the receiver the only subscription, and forgets what was.
func (o *outhook) subscribe(ctx context.Context, receiver string) error {
	if _, err := o.pool.Exec(ctx, "DROP SCHEMA outhook CASCADE"); err != nil {
		return err
	}
	if err := o.store.Migrate(ctx); err != nil {
		return err
	}
	_, err := o.d.Subscribe(ctx, store.Subscription{URL: receiver, Secrets: []signing.Secret{secret}})
	return err
}

// run delivers until the function that it returns is called.
func (o *outhook) run(ctx context.Context) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- o.d.Run(ctx) }()
	return func() error { cancel(); return <-done }
}

func (o *outhook) publish(ctx context.Context, n int) error {
	evs := make([]oevents.Event, n)
	for i := range evs {
		var err error
		if evs[i], err = oevents.New(oevents.TypeMessageCreated, payload); err != nil {
			return err
		}
	}
	return o.d.Publish(ctx, evs...)
}

// deliver is a replica: it delivers until it is killed.
func deliver(ctx context.Context, url string) error {
	o, err := openOuthook(ctx, url)
	if err != nil {
		return err
	}
	defer o.close()
	fmt.Println("ready")
	if err := o.d.Run(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}
