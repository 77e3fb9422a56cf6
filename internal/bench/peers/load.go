package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/internal/bench/usage"
)

// load publishes events to a system.
type load struct {
	publishers int
	batch      int
	to         system
}

// publish publishes the events 0 to n−1 as fast as the system takes them.
func (l *load) publish(ctx context.Context, n int) error {
	var next atomic.Int64
	errs := make([]error, l.publishers)
	var wg sync.WaitGroup
	for i := range l.publishers {
		wg.Go(func() {
			for errs[i] == nil {
				last := int(next.Add(int64(l.batch)))
				if last-l.batch >= n {
					return
				}
				errs[i] = l.to.publish(ctx, last-l.batch, min(last, n))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// publishSteadily publishes the events 0 to n−1 at so many a second, however long each takes.
func (l *load) publishSteadily(ctx context.Context, n, perSecond int) error {
	const publishers = 64 // more than are ever busy
	events := make(chan int, n)
	errs := make([]error, publishers)
	var wg sync.WaitGroup
	for i := range publishers {
		wg.Go(func() {
			for event := range events {
				if err := l.to.publish(ctx, event, event+1); err != nil {
					errs[i] = err
				}
			}
		})
	}
	start := time.Now()
	for event := range n {
		at := start.Add(time.Duration(event) * time.Second / time.Duration(perSecond))
		usage.Pause(time.Until(at))
		events <- event
	}
	close(events)
	wg.Wait()
	return errors.Join(errs...)
}
