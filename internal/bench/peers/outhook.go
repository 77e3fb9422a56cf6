package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/internal/bench/plain"
	"github.com/outhook/outhook/internal/bench/receiver"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/pgstore"
)

// connections is the size of a pool of connections to PostgreSQL.
const connections = 24

func openPool(ctx context.Context, url string, size int32) (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	c.MaxConns = size
	return pgxpool.NewWithConfig(ctx, c)
}

// closing is something to close at the end.
type closing func() error

func (c closing) Close() error { return c() }

// outhook is a dispatcher on a store.
type outhook struct {
	dispatcher *dispatcher.Dispatcher
	store      store.Store
	stop       context.CancelFunc
	ended      chan error
	closers    []io.Closer
}

func openBoltstore(ctx context.Context, j *job) (system, error) {
	s, err := boltstore.Open(filepath.Join(j.Dir, "outhook.db"), nil)
	if err != nil {
		return nil, err
	}
	return openOuthook(ctx, j, s, s)
}

func openPgstore(ctx context.Context, j *job) (system, error) {
	pool, err := openPool(ctx, j.Store, connections)
	if err != nil {
		return nil, err
	}
	s, err := pgstore.New(pool, nil)
	if err == nil {
		err = s.Migrate(ctx)
	}
	if err != nil {
		pool.Close()
		return nil, err
	}
	return openOuthook(ctx, j, s, s, closing(func() error { pool.Close(); return nil }))
}

// openOuthook makes the receiver the only webhook, and begins to deliver.
func openOuthook(
	ctx context.Context, j *job, s store.Store, closers ...io.Closer,
) (*outhook, error) {
	o := &outhook{store: s, ended: make(chan error, 1), closers: closers}
	var err error
	o.dispatcher, err = dispatcher.New(s, &dispatcher.Options{
		Concurrency:     plain.Workers,
		PerSubscription: plain.Workers,
		AllowLoopback:   true,
		Logger:          slog.New(slog.DiscardHandler),
	})
	if err == nil {
		_, err = o.dispatcher.Subscribe(ctx, store.Subscription{
			URL: j.hook(), Events: []string{plain.Type},
			Headers: map[string]string{"X-Custom": "value"},
			Secrets: []signing.Secret{receiver.Secret},
		})
	}
	if err != nil {
		return nil, errors.Join(err, o.closeStores())
	}
	running, stop := context.WithCancel(ctx)
	o.stop = stop
	go func() { o.ended <- o.dispatcher.Run(running) }()
	return o, nil
}

func (o *outhook) publish(ctx context.Context, first, last int) error {
	evs := make([]events.Event, 0, last-first)
	for n := first; n < last; n++ {
		e, err := events.New(plain.Type, receiver.Stamped(n, time.Now()))
		if err != nil {
			return err
		}
		evs = append(evs, e)
	}
	return o.dispatcher.Publish(ctx, evs...)
}

func (o *outhook) pending(ctx context.Context) (int, error) {
	stats, err := o.store.Stats(ctx, "")
	return int(stats.Pending), err
}

func (o *outhook) close() error {
	o.stop()
	return errors.Join(<-o.ended, o.closeStores())
}

func (o *outhook) closeStores() (err error) {
	for _, c := range o.closers {
		err = errors.Join(err, c.Close())
	}
	return err
}
