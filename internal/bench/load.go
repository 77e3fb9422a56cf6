package main

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/internal/bench/usage"
)

// publisher is what takes events: a dispatcher or a store.
type publisher func(ctx context.Context, evs ...events.Event) error

// publish publishes the events 0 to n−1 from so many goroutines, in batches, and returns how long
// each call took.
func publish(
	ctx context.Context, to publisher, eventType string, n, publishers, batch int,
) ([]time.Duration, error) {
	var next atomic.Int64
	errs := make([]error, publishers)
	took := make([][]time.Duration, publishers)
	var wg sync.WaitGroup
	for i := range publishers {
		wg.Go(func() {
			for errs[i] == nil {
				last := int(next.Add(int64(batch)))
				first := last - batch
				if first >= n {
					return
				}
				evs, err := messages(eventType, first, min(last, n))
				if err != nil {
					errs[i] = err
					return
				}
				start := time.Now()
				errs[i] = to(ctx, evs...)
				took[i] = append(took[i], time.Since(start))
			}
		})
	}
	wg.Wait()
	return slices.Concat(took...), firstError(errs)
}

// publishSteadily publishes the events 0 to n−1 at so many a second, however long each takes.
func publishSteadily(ctx context.Context, to publisher, eventType string, n, perSecond int) error {
	const publishers = 64 // more than are ever busy
	work := make(chan int, n)
	errs := make([]error, publishers)
	var wg sync.WaitGroup
	for i := range publishers {
		wg.Go(func() {
			for event := range work {
				e, err := message(eventType, event)
				if err == nil {
					err = to(ctx, e)
				}
				if err != nil {
					errs[i] = err
				}
			}
		})
	}
	start := time.Now()
	for event := range n {
		usage.Pause(time.Until(start.Add(time.Duration(event) * time.Second / time.Duration(perSecond))))
		if ctx.Err() != nil {
			break
		}
		work <- event
	}
	close(work)
	wg.Wait()
	return firstError(append(errs, ctx.Err()))
}
