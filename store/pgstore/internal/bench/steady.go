package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
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
// the server from vacuuming, and prints the rows of a table in Markdown.
func measureSteady(ctx context.Context, url string, rec *receiver) error {
	rates, err := steadyRates()
	if err != nil {
		return err
	}
	ways := []pinning{notPinned}
	if *pin {
		ways = append(ways, byReaders, byIdle)
	}
	fmt.Println("| system | events/s | pinned by | delivered ÷ offered | most that waited | " +
		"p50, ms | p95 | p99 | log an event, B |\n|---|---|---|---|---|---|---|---|---|")
	for _, rate := range rates {
		for _, way := range ways {
			for _, name := range []string{"river", "outhook"} {
				if *only != "" && *only != name {
					continue
				}
				r, err := steadyRound(ctx, url, rec, name, rate, way)
				if err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
				fmt.Printf("| %s | %d | %s | %.3f | %d | %d | %d | %d | %.0f |\n", name, rate, way,
					float64(r.delivered)/float64(r.offered), r.depth,
					r.latencies.percentile(50), r.latencies.percentile(95), r.latencies.percentile(99), r.wal)
			}
		}
	}
	return nil
}

// steadyRates returns the rates that are asked for.
func steadyRates() (rates []int, err error) {
	switch {
	case *rateList == "" && *pin:
		return []int{800, 3000}, nil
	case *rateList == "":
		return []int{200, 800, 2000, 3000}, nil
	}
	for text := range strings.SplitSeq(*rateList, ",") {
		rate, err := strconv.Atoi(text)
		if err != nil || rate < 1 {
			return nil, fmt.Errorf("-rate has %q; give rates such as 800,3000", text)
		}
		rates = append(rates, rate)
	}
	return rates, nil
}

func steadyRound(ctx context.Context, url string, rec *receiver, name string, rate int,
	way pinning) (r steadyResult, err error) {
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
	unpin, err := way.begin(ctx, pool)
	if err != nil {
		return r, err
	}
	defer unpin()
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
