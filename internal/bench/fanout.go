package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/internal/bench/receiver"
)

const otherType = "nobody.publishes.it"

// subscribers compares what a publisher waits for among a hundred subscriptions and among a hundred
// thousand, and one of them wants the event.
func (b *bench) subscribers(ctx context.Context) (err error) {
	const few = 100
	many := b.size(100_000, 1000)
	var hosts [2]*host
	for i, n := range []int{few, many} {
		h, err := b.newHost(0)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, h.close()) }()
		hosts[i] = h
		start := time.Now()
		err = errors.Join(
			h.subscribe(ctx, otherType, n-1, b.receiver.Hook),
			h.subscribe(ctx, benchType, 1, b.receiver.Hook),
		)
		if err != nil {
			return err
		}
		b.log("N8: %d subscriptions made in %v", n, time.Since(start).Round(time.Millisecond))
	}
	var ratios []float64
	for range b.rounds {
		var p50 [2]time.Duration
		for i, h := range hosts {
			took, err := publish(ctx, h.dispatcher.Publish, benchType, b.size(500, 20), 1, 1)
			if err != nil {
				return err
			}
			p50[i] = receiver.Summarize(took).P50
		}
		b.log("N8: publish p50 %v among %d, %v among %d", p50[0], few, p50[1], many)
		ratios = append(ratios, float64(p50[1])/float64(p50[0]))
	}
	work := fmt.Sprintf("%d → %d subscriptions, one wants the event", few, many)
	b.table.add(figure{"N8", work, "publish p50, growth", median(ratios), "", 1.2, atMost})
	return nil
}

// fanOut measures how fast events for ten thousand subscriptions are enqueued.
func (b *bench) fanOut(ctx context.Context) (err error) {
	subscriptions, events := b.size(10_000, 100), b.size(50, 5)
	h, err := b.newHost(0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	if err := h.subscribe(ctx, benchType, subscriptions, b.receiver.Hook); err != nil {
		return err
	}
	var rates []float64
	var longest time.Duration
	for range b.rounds {
		start := time.Now()
		took, err := publish(ctx, h.dispatcher.Publish, benchType, events, 1, 1)
		if err != nil {
			return err
		}
		rates = append(rates, float64(subscriptions*events)/time.Since(start).Seconds())
		longest = max(longest, receiver.Summarize(took).Max)
	}
	s, err := h.store.Stats(ctx, "")
	if err == nil && s.Pending != subscriptions*events*b.rounds {
		err = fmt.Errorf("%d deliveries are pending, not %d", s.Pending, subscriptions*events*b.rounds)
	}
	work := fmt.Sprintf("one event to %d subscriptions, one publisher (the store alone)",
		subscriptions)
	b.log("N9: %.0f deliveries/s, longest publish %v", median(rates), longest)
	b.table.add(figure{"N9", work, "deliveries enqueued/s", median(rates), "", 150_000, atLeast})
	return err
}
