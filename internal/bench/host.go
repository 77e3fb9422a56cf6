package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/internal/bench/receiver"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// host is the sending side: a store in a file of its own, and a dispatcher.
type host struct {
	serving
	path  string
	store *boltstore.Store
}

// serving is a dispatcher that is run and stopped.
type serving struct {
	dispatcher *dispatcher.Dispatcher
	stop       context.CancelFunc
	ended      chan error
}

// newHost makes a host with an empty store. perSubscription is how many requests of one
// subscription are in flight at most; 0 for the default.
func (b *bench) newHost(perSubscription int) (*host, error) {
	dir, err := os.MkdirTemp(b.dir, "host-")
	if err != nil {
		return nil, err
	}
	h := &host{path: filepath.Join(dir, "outhook.db")}
	return h, h.open(perSubscription)
}

func (h *host) open(perSubscription int) error {
	var err error
	if h.store, err = boltstore.Open(h.path, nil); err != nil {
		return err
	}
	h.dispatcher, err = newDispatcher(h.store, perSubscription)
	return err
}

func newDispatcher(s store.Store, perSubscription int) (*dispatcher.Dispatcher, error) {
	return dispatcher.New(s, &dispatcher.Options{
		PerSubscription: perSubscription,
		DrainTimeout:    time.Second, // for what hangs
		Quota:           unlimited,
		AllowPrefixes:   []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Logger:          slog.New(slog.DiscardHandler),
	})
}

// unlimited lets a benchmark make as many subscriptions as it takes.
func unlimited(string) dispatcher.Quota {
	return dispatcher.Quota{Subscriptions: dispatcher.Unlimited}
}

// run starts to deliver.
func (s *serving) run(ctx context.Context) {
	ctx, s.stop = context.WithCancel(ctx)
	s.ended = make(chan error, 1)
	go func() { s.ended <- s.dispatcher.Run(ctx) }()
}

// drain stops delivering, once what is in flight has been recorded.
func (s *serving) drain() error {
	if s.stop == nil {
		return nil
	}
	s.stop()
	s.stop = nil
	return <-s.ended
}

// close ends the host and removes its file.
func (h *host) close() error {
	err := errors.Join(h.drain(), h.store.Close())
	return errors.Join(err, os.RemoveAll(filepath.Dir(h.path)))
}

// subscribe makes n subscriptions that want the type. Many are made at a time, since a commit can
// take them together.
func (h *host) subscribe(
	ctx context.Context, eventType string, n int, url func(i int) string,
) error {
	const at = 64
	errs := make([]error, at)
	var wg sync.WaitGroup
	for g := range at {
		wg.Go(func() {
			for i := g; i < n && errs[g] == nil; i += at {
				_, errs[g] = h.dispatcher.Subscribe(ctx, store.Subscription{
					URL:     url(i),
					Events:  []string{eventType},
					Headers: map[string]string{"X-Custom": "value"},
					Secrets: []signing.Secret{receiver.Secret},
				})
			}
		})
	}
	wg.Wait()
	return firstError(errs)
}

// settled returns an error unless nothing is pending.
func settled(ctx context.Context, s store.Store) error {
	stats, err := s.Stats(ctx, "")
	if err == nil && stats.Pending != 0 {
		err = fmt.Errorf("the store still has %d deliveries pending", stats.Pending)
	}
	return err
}

// commits returns how many transactions the file of a store that is closed has seen.
func commits(path string) (n int, err error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return 0, err
	}
	err = db.View(func(tx *bolt.Tx) error {
		n = tx.ID()
		return nil
	})
	return n, errors.Join(err, db.Close())
}
