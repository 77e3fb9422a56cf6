package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// offerEvery is how often events are offered: at a rate r, so many each time as make r a second.
const offerEvery = 5 * time.Millisecond

// steadyResult is the result of a steady rate.
type steadyResult struct {
	offered, delivered, depth int
	latencies                 latencies
	wal                       float64 // bytes an event
}

// measureSteady offers events at each rate for some time, with and without transactions that keep
// the server from vacuuming.
func measureSteady(ctx context.Context, url string, rec *receiver) error {
	fmt.Println("system    rate  pinned  delivered/offered  depth   p50   p95   p99  WAL an event")
	for _, rate := range []int{200, 800, 2000, 3000} {
		if *rateOnly > 0 && rate != *rateOnly {
			continue
		}
		for _, pinned := range []bool{false, true} {
			for _, name := range []string{"river", "outhook"} {
				if *only != "" && *only != name || pinned && !*pin {
					continue
				}
				r, err := steadyRound(ctx, url, rec, name, rate, pinned)
				if err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				fmt.Printf("%-8s %5d  %-6v  %17.3f  %5d  %4d  %4d  %4d  %10.0f B\n", name, rate, pinned,
					float64(r.delivered)/float64(r.offered), r.depth,
					r.latencies.percentile(50), r.latencies.percentile(95), r.latencies.percentile(99), r.wal)
			}
		}
	}
	return nil
}

func steadyRound(ctx context.Context, url string, rec *receiver, name string, rate int,
	pinned bool) (r steadyResult, err error) {
	publish, stop, err := startSystem(ctx, url, rec, name)
	if err != nil {
		return r, err
	}
	defer stop()
	pool, err := newPool(ctx, url)
	if err != nil {
		return r, err
	}
	defer pool.Close()
	if _, err := pool.Exec(ctx, "CHECKPOINT"); err != nil {
		return r, err
	}
	if pinned {
		unpin, err := pinHorizon(ctx, pool)
		if err != nil {
			return r, err
		}
		defer unpin()
	}
	if _, err := rec.ask(ctx, http.MethodDelete); err != nil {
		return r, err
	}
	before, err := walPosition(ctx, pool)
	if err != nil {
		return r, err
	}
	if err := offer(ctx, rec, rate, publish, &r); err != nil {
		return r, err
	}
	after, err := walPosition(ctx, pool)
	r.wal = float64(after-before) / float64(r.offered)
	return r, err
}

// startSystem starts one of the two on an empty database.
func startSystem(ctx context.Context, url string, rec *receiver,
	name string) (publish func(context.Context, int) error, stop func(), err error) {
	if name == "river" {
		r, err := openRiver(ctx, url, rec.url)
		if err != nil {
			return nil, nil, err
		}
		end, err := r.run(ctx)
		return r.publish, func() { _ = end(); r.pool.Close() }, err
	}
	o, err := openOuthook(ctx, url)
	if err != nil {
		return nil, nil, err
	}
	if err := o.subscribe(ctx, rec.url); err != nil {
		return nil, nil, err
	}
	end := o.run(ctx)
	return o.publish, func() { _ = end(); o.close() }, nil
}

// pinHorizon keeps three transactions open that overlap, each for two minutes, until the function
// that it returns is called. While any is open, what is dead stays.
func pinHorizon(ctx context.Context, pool *pgxpool.Pool) (unpin func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	var pinning sync.WaitGroup
	begun := make(chan error, 3)
	for i := range 3 {
		pinning.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				err := pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead},
					func(tx pgx.Tx) error {
						_, err := tx.Exec(ctx, "SELECT count(*) FROM pg_class")
						if n == 0 {
							begun <- err
						}
						length := 120 * time.Second
						if n == 0 {
							length = time.Duration(1+i) * 40 * time.Second // so that they overlap
						}
						select {
						case <-ctx.Done():
						case <-time.After(length):
						}
						return err
					})
				if err != nil && ctx.Err() == nil {
					fmt.Fprintln(os.Stderr, "bench: a reader:", err)
				}
			}
		})
	}
	for range 3 {
		if e := <-begun; e != nil {
			err = e
		}
	}
	return func() { cancel(); pinning.Wait() }, err
}

// offer publishes at a rate, without waiting for deliveries, and looks once in a while how much has
// not arrived.
func offer(ctx context.Context, rec *receiver, rate int, publish func(context.Context, int) error,
	r *steadyResult) error {
	var publishing sync.WaitGroup
	var failed atomic.Pointer[error]
	slots := make(chan struct{}, 64)
	start := time.Now()
	end := start.Add(*seconds)
	look := start
	for now := range time.Tick(offerEvery) {
		if now.After(end) || failed.Load() != nil {
			break
		}
		if n := int(now.Sub(start).Seconds()*float64(rate)) - r.offered; n > 0 {
			r.offered += n
			slots <- struct{}{}
			publishing.Go(func() {
				defer func() { <-slots }()
				if err := publish(ctx, n); err != nil {
					failed.Store(&err)
				}
			})
		}
		if now.Sub(look) > 500*time.Millisecond {
			look = now
			c, err := rec.ask(ctx, http.MethodGet)
			if err != nil {
				return err
			}
			r.depth = max(r.depth, r.offered-c.Distinct)
		}
	}
	c, err := rec.ask(ctx, http.MethodGet)
	if err != nil {
		return err
	}
	r.delivered = c.Distinct
	publishing.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	if _, err := rec.await(ctx, r.offered); err != nil {
		return err
	}
	c, err = rec.askFor(ctx, http.MethodGet, "/?latencies")
	if err == nil {
		r.latencies = *c.Latencies
	}
	return err
}
