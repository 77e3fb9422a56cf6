package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/internal/bench/receiver"
	"github.com/outhook/outhook/internal/bench/usage"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/shards"
)

const (
	// shardTenants is how many tenants there are, whatever the number of shards, so that the same
	// work is compared.
	shardTenants = 8

	shardRate = 200 // events a second, of the tenants whose store works
)

// shardedHost is a sending side over several files.
type shardedHost struct {
	serving
	files []*boltstore.Store
	store *shards.Store
	dir   string
}

// sharded measures what a delivery costs with one shard and with as many as there are tenants, and
// what those of one notice when another is dead.
func (b *bench) sharded(ctx context.Context) error {
	n := b.size(20_000, 400)
	var cpus, ratios []float64
	for range b.rounds {
		one, err := b.deliverSharded(ctx, 1, n)
		if err != nil {
			return err
		}
		all, err := b.deliverSharded(ctx, shardTenants, n)
		if err != nil {
			return err
		}
		b.log("N16: %.1f µs, %.0f bytes written, %.1f allocations, %.0f/s with one shard; "+
			"%.1f, %.0f, %.1f, %.0f with %d", one.CPU, one.Written, one.Allocs, one.Rate,
			all.CPU, all.Written, all.Allocs, all.Rate, shardTenants)
		cpus = append(cpus, all.CPU/one.CPU)
	}
	seconds := b.size(6, 1)
	for range min(b.rounds, 3) {
		alive, err := b.besideDeadShard(ctx, seconds, false)
		if err != nil {
			return err
		}
		dead, err := b.besideDeadShard(ctx, seconds, true)
		if err != nil {
			return err
		}
		b.log("N16: p99 %v, and %v with one shard dead", alive.P99, dead.P99)
		ratios = append(ratios, float64(dead.P99)/float64(alive.P99))
	}
	b.table.add(figure{"N16", fmt.Sprintf("%d tenants in one file, and in a file each", shardTenants),
		"CPU for each ÷ that with one file", median(cpus), "", 1.05, atMost})
	b.table.add(figure{"N16", fmt.Sprintf("one of %d shards dead, %d events/s to the others",
		shardTenants, shardRate), "p99 ÷ that with all alive", median(ratios), "", 1.02, atMost})
	return nil
}

// newShardedHost makes a host with a subscription of each tenant. That of the first tenant goes
// nowhere if it is to be dead.
func (b *bench) newShardedHost(ctx context.Context, n int, firstURL string) (*shardedHost, error) {
	dir, err := os.MkdirTemp(b.dir, "shards-")
	if err != nil {
		return nil, err
	}
	h := &shardedHost{dir: dir}
	var stores []store.Store
	for i := range n {
		file, err := boltstore.Open(filepath.Join(dir, fmt.Sprintf("outhook-%d.db", i)), nil)
		if err != nil {
			return nil, errors.Join(err, h.close())
		}
		h.files, stores = append(h.files, file), append(stores, file)
	}
	h.store, err = shards.New(func(tenant string) int {
		i, _ := strconv.Atoi(tenant) // they are numbers
		return i % n
	}, stores...)
	if err == nil {
		h.dispatcher, err = newDispatcher(h.store, rawWorkers)
	}
	for i := 0; i < shardTenants && err == nil; i++ {
		url := b.receiver.Hook(0)
		if i == 0 {
			url = firstURL
		}
		_, err = h.dispatcher.Subscribe(ctx, store.Subscription{
			Tenant: strconv.Itoa(i), URL: url, Events: []string{benchType},
			Secrets: []signing.Secret{receiver.Secret},
		})
	}
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

// close ends the host and removes its files.
func (h *shardedHost) close() error {
	err := h.drain()
	if h.store != nil {
		err = errors.Join(err, h.store.Close())
	}
	for _, file := range h.files {
		err = errors.Join(err, file.Close())
	}
	return errors.Join(err, os.RemoveAll(h.dir))
}

// from returns a publisher that gives each call to the next of the tenants, from one on.
func (h *shardedHost) from(first int) publisher {
	var calls atomic.Int64
	return func(ctx context.Context, evs ...events.Event) error {
		tenant := first + int(calls.Add(1))%(shardTenants-first)
		for i := range evs {
			evs[i].Tenant = strconv.Itoa(tenant)
		}
		return h.dispatcher.Publish(ctx, evs...)
	}
}

// deliverSharded publishes and delivers n events of all tenants.
func (b *bench) deliverSharded(ctx context.Context, shards, n int) (s usage.Spent, err error) {
	h, err := b.newShardedHost(ctx, shards, b.receiver.Hook(0))
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	h.run(ctx)
	if err := b.warmSharded(ctx, h.from(0)); err != nil {
		return s, err
	}
	if err := b.receiver.Expect(ctx, 1, n); err != nil {
		return s, err
	}
	before := usage.Begin()
	if _, err := publish(ctx, h.from(0), benchType, n, 16, 100); err != nil {
		return s, err
	}
	if _, err := b.receiver.Wait(ctx); err != nil {
		return s, err
	}
	if err := errors.Join(h.drain(), settled(ctx, h.store)); err != nil {
		return s, err
	}
	r, err := b.receiver.Judge(ctx)
	return before.End(time.Unix(0, r.Last), n), err
}

// warmSharded opens the connections, and proves the endpoints of the tenants.
func (b *bench) warmSharded(ctx context.Context, to publisher) error {
	n := 2 * rawWorkers
	if err := b.receiver.Expect(ctx, 1, n); err != nil {
		return err
	}
	if _, err := publish(ctx, to, benchType, n, 1, n/16); err != nil {
		return err
	}
	_, err := b.receiver.Wait(ctx)
	return err
}

// besideDeadShard publishes for all tenants but the first, whose store is closed under the host if
// it is to be dead.
func (b *bench) besideDeadShard(
	ctx context.Context, seconds int, dead bool,
) (l receiver.Latency, err error) {
	refusing, err := closedPort()
	if err != nil {
		return l, err
	}
	h, err := b.newShardedHost(ctx, shardTenants, "http://"+refusing)
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	h.run(ctx)
	if err := b.warmSharded(ctx, h.from(1)); err != nil {
		return l, err
	}
	if dead {
		if err := h.files[0].Close(); err != nil {
			return l, err
		}
	}
	return b.healthy(ctx, h.from(1), shardRate, seconds)
}
