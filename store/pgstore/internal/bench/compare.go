package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime/pprof"
	"slices"
	"sync"
	"time"
)

const (
	publishers = 16 // how many publish at once

	arrivalTimeout = 5 * time.Minute // of the last event, once all are published
)

// publishAll publishes n events in batches, by all publishers together.
func publishAll(ctx context.Context, n, batch int, publish func(context.Context, int) error) error {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex // guards first
		first error
	)
	for range publishers {
		wg.Go(func() {
			for done := 0; done < n/publishers; done += batch {
				if err := publish(ctx, min(batch, n/publishers-done)); err != nil {
					mu.Lock()
					defer mu.Unlock()
					if first == nil {
						first = err
					}
					return
				}
			}
		})
	}
	wg.Wait()
	return first
}

// timed publishes n events while they are delivered, and returns how many were per second.
func timed(ctx context.Context, rec *receiver, n, batch int,
	publish func(context.Context, int) error) (float64, error) {
	n -= n % publishers
	if _, err := rec.ask(ctx, http.MethodDelete); err != nil {
		return 0, err
	}
	start := time.Now()
	if err := publishAll(ctx, n, batch, publish); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, arrivalTimeout)
	defer cancel()
	say := newSaying(fmt.Sprintf("%d events", n))
	defer say.done()
	last, err := rec.await(ctx, n, say)
	if err != nil {
		return 0, err
	}
	return float64(n) / last.Sub(start).Seconds(), nil
}

func roundOfRiver(ctx context.Context, url string, rec *receiver, batch int) (rate float64,
	err error) {
	r, err := openRiver(ctx, url, rec.url)
	if err != nil {
		return 0, err
	}
	defer r.pool.Close()
	stop, err := r.run(ctx)
	if err != nil {
		return 0, err
	}
	defer stop()
	return timed(ctx, rec, *events, batch, r.publish)
}

func roundOfOuthook(ctx context.Context, url string, rec *receiver, batch int) (rate float64,
	err error) {
	o, err := openOuthook(ctx, url)
	if err != nil {
		return 0, err
	}
	defer o.close()
	if err := o.subscribe(ctx, rec.url); err != nil {
		return 0, err
	}
	stop := o.run(ctx)
	defer stop()
	return timed(ctx, rec, *events, batch, o.publish)
}

func compare(ctx context.Context, url string, rec *receiver) error {
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	fmt.Printf(
		"%d events a round, %d publishers, %d workers, one subscription, 512-byte payloads, fsync on\n\n",
		*events, publishers, workers)
	fmt.Println("published      River/s  outhook/s  ratio")
	batches := []int{1, 100}
	if *single > 0 {
		batches = []int{*single}
	}
	for _, batch := range batches {
		var theirs, ours, ratios []float64
		for range *rounds {
			var t, o float64
			var err error
			if *only != "outhook" {
				if t, err = roundOfRiver(ctx, url, rec, batch); err != nil {
					return fmt.Errorf("river: %w", err)
				}
			}
			if *only != "river" {
				if o, err = roundOfOuthook(ctx, url, rec, batch); err != nil {
					return fmt.Errorf("outhook: %w", err)
				}
			}
			theirs, ours, ratios = append(theirs, t), append(ours, o), append(ratios, o/t)
		}
		name := "singly"
		if batch > 1 {
			name = fmt.Sprintf("%d at a time", batch)
		}
		if *rounds > 1 {
			fmt.Fprintf(os.Stderr, "%d: River %.0f, outhook %.0f\n", batch, theirs, ours)
		}
		fmt.Printf("%-13s %8.0f  %9.0f  %5.2f\n", name, median(theirs), median(ours), median(ratios))
	}
	return nil
}

func median(xs []float64) float64 {
	slices.Sort(xs)
	return xs[len(xs)/2]
}
