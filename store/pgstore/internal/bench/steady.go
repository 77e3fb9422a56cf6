package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
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
	latencies                 latencies // of what arrived
	wal                       float64   // bytes an event

	caughtUp time.Duration // how long after the last event was offered the last arrived
	waiting  int           // what had not arrived when that was given up
}

// end says how a round ended, in a cell of the table.
func (r *steadyResult) end() string {
	if r.waiting > 0 {
		return fmt.Sprintf("did not catch up, %d waiting after %v", r.waiting, *catchUp)
	}
	return fmt.Sprintf("%.1f s", r.caughtUp.Seconds())
}

// measureSteady offers events at each rate for some time, with and without transactions that keep
// the server from vacuuming, and prints the rows of a table in Markdown.
func measureSteady(ctx context.Context, url string, rec *receiver) error {
	rates, err := steadyRates()
	if err != nil {
		return err
	}
	ways, err := pinnings()
	if err != nil {
		return err
	}
	fmt.Println("| system | events/s | pinned by | delivered ÷ offered | most that waited | " +
		"p50, ms | p95 | p99 | log an event, B | caught up in |\n" +
		"|---|---|---|---|---|---|---|---|---|---|")
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
				fmt.Printf("| %s | %d | %s | %.3f | %d | %d | %d | %d | %.0f | %s |\n", name, rate, way,
					float64(r.delivered)/float64(r.offered), r.depth,
					r.latencies.percentile(50), r.latencies.percentile(95), r.latencies.percentile(99), r.wal,
					r.end())
			}
		}
	}
	return nil
}

// pinnings returns the ways to keep the server from vacuuming that are asked for.
func pinnings() ([]pinning, error) {
	all := []pinning{notPinned, byReaders, byIdle}
	switch {
	case *onlyPin != "" && !slices.Contains(all, pinning(*onlyPin)):
		return nil, fmt.Errorf("-pin has %q; give one of %v", *onlyPin, all)
	case *onlyPin != "":
		return []pinning{pinning(*onlyPin)}, nil
	case *pin:
		return all, nil
	}
	return all[:1], nil
}

// steadyRates returns the rates that are asked for.
func steadyRates() (rates []int, err error) {
	switch {
	case *rateList == "" && (*pin || *onlyPin != ""):
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
	say := newSaying(fmt.Sprintf("%s, %d events/s, pinned by %s", name, rate, way))
	defer say.done()
	if err := offer(ctx, rec, rate, publish, &r, say); err != nil {
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
	r *steadyResult, say *saying) error {
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
			say.say("%v of %v: %d offered, %d have not arrived", now.Sub(start).Round(time.Second),
				*seconds, r.offered, r.offered-c.Distinct)
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
	if err := r.catchUp(ctx, rec, say); err != nil {
		return err
	}
	c, err = rec.askFor(ctx, http.MethodGet, "/?latencies")
	if err == nil {
		r.latencies = *c.Latencies
	}
	return err
}

// catchUp waits for what has not arrived, for as long as it is given, and notes what has not.
func (r *steadyResult) catchUp(ctx context.Context, rec *receiver, say *saying) error {
	began := time.Now()
	bounded, cancel := context.WithTimeout(ctx, *catchUp)
	defer cancel()
	last, err := rec.await(bounded, r.offered, say)
	if err == nil {
		r.caughtUp = max(last.Sub(began), 0)
		return nil
	}
	// A system that is too slow for the rate is a result, and not the end of the run.
	if ctx.Err() != nil || bounded.Err() == nil {
		return err
	}
	c, err := rec.ask(ctx, http.MethodGet)
	r.waiting = r.offered - c.Distinct
	return err
}
