package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/outhook/outhook/internal/bench/usage"
	"github.com/outhook/outhook/store"
)

// backlog is what was measured with so many deliveries pending.
type backlog struct {
	pending  int
	host     *host
	open     time.Duration
	anon     float64 // MiB
	deliver  []float64
	publish  []float64
	fileSize float64
}

// backlog compares a store with few deliveries pending to one with many. It drives the stores
// directly.
func (b *bench) backlog(ctx context.Context) error {
	sizes, err := b.stocks(ctx)
	defer closeAll(sizes)
	if err != nil {
		return err
	}
	small, big := sizes[0], sizes[len(sizes)-1]
	for _, s := range sizes {
		b.table.note("N7, the store alone, %d pending: %.0f deliveries/s, %.0f events/s in batches "+
			"of 100, open %.0f ms, %.0f MiB anonymous, file %.0f MiB.",
			s.pending, median(s.deliver), median(s.publish), ms(s.open), s.anon, s.fileSize)
	}
	work := fmt.Sprintf("%d → %d pending (the store alone)", small.pending, big.pending)
	b.table.add(figure{"N7", work, "delivery rate", median(quotients(big.deliver, small.deliver)), "",
		0.95, atLeast})
	b.table.add(figure{"N7", work, "publish rate", median(quotients(big.publish, small.publish)), "",
		0.95, atLeast})
	b.table.add(figure{"N7", work, "open", ms(big.open), " ms", 400, atMost})
	b.table.add(figure{"N7", work, "more anonymous memory", big.anon - small.anon, " MiB", 20, atMost})
	return b.unsubscribe(ctx, big)
}

// stocks measures stores with ever more deliveries pending. They are the caller's to close, after
// an error too.
func (b *bench) stocks(ctx context.Context) (sizes []*backlog, err error) {
	for _, n := range []int{b.size(10_000, 2000), b.size(100_000, 3000), b.size(1_000_000, 5000)} {
		s, err := b.stock(ctx, n)
		if err != nil {
			return sizes, err
		}
		sizes = append(sizes, s)
	}
	for range b.rounds {
		for _, s := range sizes {
			if err := s.measure(ctx, b.size(4000, 300)); err != nil {
				return sizes, err
			}
		}
	}
	return sizes, nil
}

func closeAll(sizes []*backlog) {
	for _, s := range sizes {
		s.host.close()
	}
}

// stock makes a host with so many deliveries pending, and opens its store anew.
func (b *bench) stock(ctx context.Context, n int) (*backlog, error) {
	h, err := b.newHost(0)
	if err != nil {
		return nil, err
	}
	s := &backlog{pending: n, host: h}
	err = h.subscribe(ctx, benchType, 1, b.receiver.Hook)
	if err == nil {
		_, err = enqueueDirectly(ctx, h.store, n, 1000)
	}
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	if err := h.store.Close(); err != nil {
		return nil, err
	}
	debug.FreeOSMemory()
	before := usage.AnonymousBytes()
	if s.open, err = h.reopen(); err != nil {
		return nil, err
	}
	// The store loads what it needs into memory.
	if _, err := deliverDirectly(ctx, h.store, driveBatch); err != nil {
		return nil, errors.Join(err, h.close())
	}
	debug.FreeOSMemory()
	s.anon = float64(max(int64(usage.AnonymousBytes())-int64(before), 0)) / (1 << 20)
	s.fileSize, err = h.fileSize()
	b.log("N7: %d pending: open %v", n, s.open)
	return s, err
}

// measure delivers n and publishes as many, so that the backlog stays, several times.
func (s *backlog) measure(ctx context.Context, n int) error {
	const times = 10
	var delivering, publishing float64 // seconds
	for range times {
		deliver, err := deliverDirectly(ctx, s.host.store, n)
		if err != nil {
			return err
		}
		publish, err := enqueueDirectly(ctx, s.host.store, n, 100)
		if err != nil {
			return err
		}
		delivering += 1 / deliver
		publishing += 1 / publish
	}
	s.deliver, s.publish = append(s.deliver, times/delivering), append(s.publish, times/publishing)
	return nil
}

func quotients(a, b []float64) []float64 {
	q := make([]float64, len(a))
	for i := range a {
		q[i] = a[i] / b[i]
	}
	return q
}

// unsubscribe measures how long a publisher to another subscription is held up at most while one
// with a large backlog is unsubscribed, deleted, and swept away.
func (b *bench) unsubscribe(ctx context.Context, s *backlog) error {
	h := s.host
	page, err := h.store.Subscriptions(ctx, store.SubscriptionQuery{})
	if err != nil {
		return err
	}
	if err := h.subscribe(ctx, otherType, 1, b.receiver.Hook); err != nil {
		return err
	}
	quit, held := make(chan struct{}), make(chan error, 1)
	var longest time.Duration
	go func() {
		for n := 0; ; n++ {
			select {
			case <-quit:
				held <- nil
				return
			default:
			}
			took, err := publish(ctx, h.dispatcher.Publish, otherType, 1, 1, 1)
			if err != nil {
				held <- err
				return
			}
			longest = max(longest, took[0])
			usage.Pause(time.Millisecond)
		}
	}()
	start := time.Now()
	_, err = h.dispatcher.Unsubscribe(ctx, page.Items[0].ID)
	unsubscribed := time.Since(start)
	if err == nil {
		_, err = pruneAll(ctx, h.store)
	}
	if err == nil {
		err = h.dispatcher.Delete(ctx, page.Items[0].ID)
	}
	if err == nil {
		_, err = pruneAll(ctx, h.store)
	}
	close(quit)
	if err := errors.Join(err, <-held); err != nil {
		return err
	}
	b.table.note("Unsubscribing one with %d pending took %.1f ms; with deleting it, and pruning all "+
		"of it in steps, %.1f s.", s.pending, ms(unsubscribed), time.Since(start).Seconds())
	work := fmt.Sprintf("unsubscribe, delete and prune %d deliveries", s.pending)
	b.table.add(figure{"growth", work, "longest publish meanwhile", ms(longest), " ms", 50, atMost})
	return nil
}
